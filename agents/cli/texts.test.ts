import type { Command } from 'commander';
import { describe, expect, test } from 'vitest';
import { words as pageWords } from '#agents/page/words';
import { english } from '#agents/posture/english';
import { faults } from '#hal/core/faults';
import { standardStreams } from './console.ts';
import { enigmctlProgram } from './enigmctl.ts';

/** Every text in a table, however deep it lies. */
const textsOf = (value: unknown): readonly string[] =>
  typeof value === 'string' ? [value] : typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsOf) : [];

const mentions = (text: string): readonly string[] => [...text.matchAll(/`(enigmctl[^`]*)`/g)].map(([, line = '']) => line);

/** @returns why nobody can type this line as it stands; undefined where they can */
const unknownIn = (line: string, root: Command): string | undefined => {
  const [, ...words] = line.split(' ');
  let command = root;
  for (const [index, word] of words.entries()) {
    if (word.startsWith('-')) {
      if (!command.options.some(({ long, short }) => word === long || word === short)) return `no option ${word}`;
      continue;
    }
    const next = command.commands.find((one) => one.name() === word);
    if (next !== undefined) command = next;
    // A word that is no command is an argument, where the command takes any; the program itself only has commands.
    else if (command === root || command.registeredArguments.length === 0)
      return `no command ${words.slice(0, index + 1).join(' ')}`;
  }
  return undefined;
};

describe('what texts tell people to type', () => {
  const { program } = enigmctlProgram(standardStreams);

  test.each<[string, unknown]>([
    ['faults', faults],
    ['the catalogue of posture', english],
    ['the page', pageWords],
  ])('is a command of enigmctl, in %s', (_, table) => {
    const texts = textsOf(table);
    for (const text of texts) {
      for (const line of mentions(text)) expect(unknownIn(line, program), `${line}, in: ${text}`).toBeUndefined();
      // In backticks, or it would not be looked at here.
      expect(text.replaceAll(/`[^`]*`/g, ''), text).not.toContain('enigmctl');
    }
    expect(texts.length).toBeGreaterThan(10);
  });

  test.each([
    ['enigmctl no-such', 'no command no-such'],
    ['enigmctl audit no-such', 'no command audit no-such'],
    ['enigmctl doctor --no-such', 'no option --no-such'],
    ['enigmctl audit verify more', 'no command audit verify more'],
    ['enigmctl', undefined],
    ['enigmctl posture --explain', undefined],
    ['enigmctl explain posture/stale', undefined],
  ])('is looked up word by word: %s', (line, said) => {
    expect(unknownIn(line, program)).toBe(said);
  });
});
