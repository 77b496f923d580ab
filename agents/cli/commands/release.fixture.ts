/** For tests: an office in a temporary folder, worked by the command line alone. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fromBase64 } from '#hal/core/bytes';
import { askJson } from '../enigmctl.fixture.ts';

export interface Answer {
  readonly json: Record<string, unknown>;
  /** Of the refusal, or `ok`. */
  readonly code: string;
}

export interface CliOffice {
  /** A path in the folder of the test. */
  at(name: string): string;
  /** `enigmctl release …` */
  release(...words: readonly string[]): Promise<Answer>;
  /** The same, about this office: the verb, then what follows the folder. */
  desk(verb: string, ...words: readonly string[]): Promise<Answer>;
  add(id: string, ...rest: readonly string[]): Promise<Answer>;
  review(id: string, reviewer: string): Promise<Answer>;
  /** Request, one signature by each key, accept. @returns the last answer, or the first refusal */
  signBy(id: string, ...keys: readonly string[]): Promise<Answer>;
  /** Two rounds for an image, by its own two custodians. */
  signImage(id: string, name?: string): Promise<Answer>;
  stage(id: string, references: string): Promise<Answer>;
  /** The hash tree of a draft, as references for `stage`. @returns the name of the file */
  referencesOf(id: string): Promise<string>;
  root: Uint8Array;
  remove(): void;
}

/** With keys of all custodians in `keys`, and images `one` and `two`. */
export const cliOffice = async (): Promise<CliOffice> => {
  const directory = mkdtempSync(join(tmpdir(), 'enigm-office-'));
  const at = (name: string): string => join(directory, name);
  const release = async (...words: readonly string[]): Promise<Answer> => {
    const { json } = await askJson('release', ...words);
    const { fault } = json as { readonly fault?: { readonly category: string; readonly reason: string } };
    return { json: json as Record<string, unknown>, code: fault === undefined ? 'ok' : `${fault.category}/${fault.reason}` };
  };
  const desk: CliOffice['desk'] = (verb, ...words) => release(verb, at('office'), ...words);
  const opened = await release('init', at('office'), '--keys', at('keys'));
  writeFileSync(at('one'), new Uint8Array(300_000).fill(1));
  writeFileSync(at('two'), new Uint8Array(300_000).fill(2));
  writeFileSync(at('none'), '00'.repeat(32));
  const signBy: CliOffice['signBy'] = async (id, ...keys) => {
    const asked = await desk('request', id, '--out', at('request'));
    if (asked.code !== 'ok') return asked;
    const files: string[] = [];
    for (const key of keys) {
      const file = at(`${key}.signatures`);
      const signed = await release('sign', '--request', at('request'), '--key', at(`keys/${key}.json`), '--out', file);
      if (signed.code !== 'ok') return signed;
      files.push(file);
    }
    return desk('accept', id, ...files);
  };
  return {
    ...{ at, release, desk, signBy },
    add: (id, ...rest) => desk('add', id, '--image', at('two'), '--hardware', 'board-1', '--author', 'ada', ...rest),
    review: (id, reviewer) => desk('review', id, '--reviewer', reviewer),
    async signImage(id, name = 'os') {
      const stated = await signBy(id, `${name}-first`, `${name}-second`);
      return stated.code === 'ok' ? signBy(id, `${name}-first`, `${name}-second`) : stated;
    },
    stage: (id, references) => desk('stage', id, '--key', at('keys/publisher.json'), '--references', at(references)),
    async referencesOf(id) {
      const { json } = await desk('show', id);
      const [shown] = json['releases'] as readonly { readonly verityRoot: string }[];
      writeFileSync(at(`${id}.references`), `${shown?.verityRoot ?? ''}\n`);
      return `${id}.references`;
    },
    root: fromBase64(String(opened.json['root'])) ?? new Uint8Array(),
    remove: () => rmSync(directory, { recursive: true }),
  };
};
