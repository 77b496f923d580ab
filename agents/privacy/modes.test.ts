import { describe, expect, test } from 'vitest';
import { type SwitchName, switchNames } from '#hal/ports/switches';
import type { PrivacyMode } from '#protos/gen/types';
import { holdsMode, planSwitches } from './modes.ts';

const modes: readonly PrivacyMode[] = ['standard', 'private', 'lockdown'];
const all = (isOn: boolean) => new Map<SwitchName, boolean>(switchNames.map((name) => [name, isOn]));

describe('a privacy mode', () => {
  test.each<[PrivacyMode, readonly SwitchName[]]>([
    ['standard', []],
    ['private', ['nfc', 'location']],
    ['lockdown', ['nfc', 'location', 'camera', 'microphone']],
  ])('%s switches off what it names, and then holds', (mode, named) => {
    const present = all(true);
    expect(planSwitches(mode, present)).toEqual(named);
    expect(holdsMode(mode, present)).toBe(named.length === 0);
    for (const name of named) present.set(name, false);
    expect(holdsMode(mode, present)).toBe(true);
  });

  test.each(modes)('%s switches nothing on: what a person switched off stays off', (mode) => {
    expect(planSwitches(mode, all(false))).toEqual([]);
    expect(holdsMode(mode, all(false))).toBe(true);
  });

  test.each(modes)('%s takes no radio away that an alert may need (SR-11)', (mode) => {
    for (const radio of ['wifi', 'bluetooth', 'cellular'] as const) expect(planSwitches(mode, all(true))).not.toContain(radio);
  });

  test('asks nothing of a machine that has no such part', () => {
    expect(planSwitches('lockdown', new Map([['camera', true]]))).toEqual(['camera']);
    expect(holdsMode('lockdown', new Map())).toBe(true);
  });
});
