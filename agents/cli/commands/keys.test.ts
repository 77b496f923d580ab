import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { keyClassNames } from '#agents/keys/registry';
import { toHex } from '#hal/core/bytes';
import { deny, ok, type Result } from '#hal/core/result';
import type { KeyChange, KeyRevokeRequest } from '#protos/gen/types';
import { ask, askJson, serveDevice, type TestDevice } from '../enigmctl.fixture.ts';

const keyId = new Uint8Array(32).fill(0xa5);
const hex = toHex(keyId);

describe('enigmctl keys', () => {
  let device: TestDevice;
  let asked: KeyRevokeRequest[];
  let answered: Result<KeyChange>;
  beforeEach(async () => {
    asked = [];
    answered = ok({ code: '', epoch: 2, keyId });
    device = await serveDevice({
      'keys.list': async () =>
        ok({
          entries: keyClassNames.map((keyClass) =>
            keyClass === 'issuer' ? { keyClass, state: 'active', keyId } : { keyClass, state: 'unnamed' },
          ),
          successions: [],
        }),
      'keys.rotate': async () => answered,
      'keys.revoke': async (request) => {
        asked.push(request);
        return answered;
      },
    });
  });
  afterEach(() => device[Symbol.asyncDispose]());
  const json = (...words: readonly string[]) => askJson('--run', device.directory, 'keys', ...words);
  const fault = (category: string, reason: string) => ({ fault: { category, reason } });

  test('lists every class for people and for programs', async () => {
    const { out } = await ask('--run', device.directory, 'keys');
    expect(out.split('\n')).toHaveLength(keyClassNames.length + 2);
    expect(out).toContain(`issuer           active        ${hex}`);
    const { code, json: list } = await json('list');
    expect(code).toBe(0);
    const { classes } = list as { classes: readonly Record<string, unknown>[] };
    expect(classes.find(({ keyClass }) => keyClass === 'issuer')).toMatchObject({
      keys: [{ keyId: hex, state: 'active' }],
      revocation: { by: 'device', hasCommand: true },
    });
  });

  test('shows one class with its five verbs', async () => {
    const { out } = await ask('--run', device.directory, 'keys', 'list', 'audit');
    for (const word of ['generation', 'protection', 'rotation', 'replacement', 'revocation']) expect(out).toContain(word);
    expect(await json('list', 'no-such')).toEqual({ code: 3, json: fault('authorization', 'key-unknown') });
  });

  test('rotates and revokes, and prints what is so now', async () => {
    expect(await json('rotate', 'audit')).toEqual({ code: 0, json: { keyClass: 'audit', epoch: 2, keyId: hex } });
    expect(await json('revoke', 'issuer', hex)).toEqual({ code: 0, json: { keyClass: 'issuer', keyId: hex, state: 'revoked' } });
    expect(await json('revoke', 'issuer', hex, '--last')).toMatchObject({ code: 0 });
    expect(asked.map(({ isLastMeant }) => isLastMeant)).toEqual([false, true]);
  });

  test('says what follows without any key of the class, beside the data', async () => {
    const { out, error } = await ask('--run', device.directory, '--json', 'keys', 'revoke', 'issuer', hex, '--last');
    expect(error).toContain('Nobody can sign in');
    expect(out).not.toContain('Nobody');
  });

  test.each<[string, readonly string[], ReturnType<typeof fault>]>([
    ['to rotate what others rotate', ['rotate', 'root'], fault('policy', 'key-elsewhere')],
    ['to revoke what others revoke', ['revoke', 'repair', hex], fault('policy', 'key-elsewhere')],
    ['a class that does not exist', ['rotate', 'toString'], fault('authorization', 'key-unknown')],
    ['an id that is none', ['revoke', 'issuer', 'a5'], fault('authorization', 'key-unknown')],
  ])('refuses %s, and asks nobody', async (_, words, refusal) => {
    expect(await json(...words)).toEqual({ code: 3, json: refusal });
    expect(asked).toEqual([]);
  });

  test('tells who rotates it elsewhere', async () => {
    const { error } = await ask('--run', device.directory, 'keys', 'rotate', 'root');
    expect(error).toContain('signed by the quorum of the old one');
  });

  test('refuses with the code of a denial, and with that of a fault', async () => {
    answered = ok({ code: 'identity/actor-missing' });
    expect(await json('rotate', 'audit')).toEqual({ code: 3, json: fault('identity', 'actor-missing') });
    answered = deny('policy', 'last-key');
    expect(await json('revoke', 'issuer', hex)).toEqual({ code: 3, json: fault('policy', 'last-key') });
  });
});
