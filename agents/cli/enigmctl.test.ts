import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { actions } from '#agents/decision/actions';
import { findingKinds } from '#agents/posture/findings';
import type { Observations } from '#agents/posture/observations';
import { nowBootMs, perfect } from '#agents/posture/observations.fixture';
import { postureOf } from '#agents/posture/posture';
import { limits } from '#agents/posture/words';
import { categories, faults } from '#hal/core/faults';
import { deny, ok } from '#hal/core/result';
import type { DeviceStatus } from '#protos/gen/types';
import { ask, askJson, noDevice, serveDevice } from './enigmctl.fixture.ts';
import { enigmctl } from './enigmctl.ts';
import { packages } from './packages.ts';

const status: DeviceStatus = {
  lifecycle: 'active',
  level: 'basic',
  headline: 'reduced',
  nextStep: 'read-posture',
  auditSize: 7,
  auditState: 'intact',
};

/** Every command, as the words that name it: read from the help itself. */
const everyCommand = async (words: readonly string[] = []): Promise<readonly (readonly string[])[]> => {
  const { out } = await ask(...words, '--help');
  const listed = out.split('Commands:\n')[1] ?? '';
  const names = [...listed.matchAll(/^ {2}([a-z]+)\b/gm)].map(([, name = '']) => name).filter((name) => name !== 'help');
  return [words, ...(await Promise.all(names.map((name) => everyCommand([...words, name])))).flat()];
};

describe('enigmctl', () => {
  test('has help for every command: what it does and how it is called, as data', async () => {
    const commands = await everyCommand();
    const leaves = ['attest eventlog', 'audit verify', 'audit prove', 'decide', 'doctor', 'explain', 'posture', 'provision'];
    expect(commands.map((words) => words.join(' '))).toEqual(expect.arrayContaining(['', 'attest', ...leaves]));
    for (const words of commands) {
      const { code, out, error } = await ask(...words, '--help');
      expect([code, error], words.join(' ')).toEqual([0, '']);
      expect(out).toMatch(new RegExp(`^Usage: enigmctl${words.map((word) => ` ${word}`).join('')} .*\\n\\n[a-zA-Z].{15,}`));
      if (words.length > 0) expect(out).toContain('--json');
    }
  });

  test('says in a sentence what it could not do, whatever that was', async () => {
    const errors: string[] = [];
    const out = () => {
      throw new Error('nobody reads on');
    };
    expect(await enigmctl(['explain', 'policy/engine-failed'], { out, error: (text) => errors.push(text) })).not.toBe(0);
    expect(errors.join('')).toContain('unavailable/program-failed');
    expect(errors.join('')).toContain('nobody reads on');
  });

  test.each([
    [['nope'], 'there is no command nope'],
    [['nope', 'more'], 'there is no command nope'],
    [['attest', 'nope'], "unknown command 'nope'"],
    [['--nope'], "unknown option '--nope'"],
    [['posture', '--nope'], "unknown option '--nope'"],
    [['attest', 'eventlog'], "missing required argument 'file'"],
    [['attest', 'eventlog', 'one', 'two'], 'too many arguments'],
    [['audit', 'prove', '1'], "required option '--out <file>' not specified"],
    [['--run'], "option '--run <directory>' argument missing"],
  ])('ends with exit code 2 for %j, says why, and prints no data', async (words, why) => {
    const { code, out, error } = await ask(...words);
    expect([code, out]).toEqual([2, '']);
    expect(error).toContain(why);
    expect(error).toContain('enigmctl --help');
  });

  test.each([
    ['explain', 'posture/stale'],
    ['decide', '--list'],
    ['attest', 'eventlog', '/missing'],
    ['audit', 'check', '/missing'],
    ['status'],
    ['doctor'],
  ])('takes --json before and after %s', async (...words) => {
    await using place = noDevice();
    const run = ['--run', place.directory];
    const before = await ask('--json', ...run, ...words);
    expect(() => JSON.parse(before.out)).not.toThrow();
    for (const placed of [
      [...words, ...run, '--json'],
      [...run, words[0] ?? '', '--json', ...words.slice(1)],
    ])
      expect(await ask(...placed)).toEqual(before);
  });

  test('keeps nothing from one call to the next', async () => {
    expect((await ask('decide', '--list', '--json')).out).toMatch(/^\{/);
    expect((await ask('decide', '--list')).out).not.toMatch(/^\{/);
    expect((await ask('explain', 'no/such')).code).toBe(2);
    expect((await ask('explain', 'posture/stale')).code).toBe(0);
  });
});

describe('enigmctl alone', () => {
  test('prints one line of state and the next step', async () => {
    await using device = await serveDevice({ 'device.status': async () => ok(status) });
    const run = ['--run', device.directory];
    const { code, out } = await ask(...run);
    expect(code).toBe(0);
    expect(out).toMatch(/^[^\n]+; level [^\n]+; audit log intact, 7 records\nnext: [^\n]+\.\n$/);
    expect(await askJson(...run)).toEqual({ code: 0, json: status });
    expect(await ask(...run, 'status')).toEqual(await ask(...run));
  });

  test('says that a device is not provisioned, and what to do', async () => {
    await using device = await serveDevice({ 'device.status': async () => deny('unavailable', 'not-provisioned') });
    expect(await askJson('--run', device.directory)).toEqual({
      code: 0,
      json: { lifecycle: 'unprovisioned', nextStep: 'provision' },
    });
  });

  test('says that no device answers', async () => {
    await using place = noDevice();
    expect(await askJson('--run', place.directory)).toEqual({ code: 5, json: { lifecycle: 'unreachable', nextStep: 'start' } });
    expect((await ask('--run', place.directory)).out).toContain('next: start the device');
  });
});

describe('enigmctl explain', () => {
  test('says what each code means and what would change it', async () => {
    for (const category of categories)
      for (const [reason, entry] of Object.entries(faults[category])) {
        const code = `${category}/${reason}`;
        expect(await askJson('explain', code)).toEqual({ code: 0, json: { code, ...entry } });
      }
    expect((await ask('explain', 'posture/stale')).out).toMatch(/^posture\/stale\n {2}.+\.\n {2}next: .+\.\n$/);
  });

  test.each([
    'posture',
    'posture/nothing',
    'nothing/stale',
    'posture/stale/more',
    '',
    'toString/stale',
    'posture/toString',
    'POSTURE/STALE',
  ])('does not know %j, and says where the codes are listed', async (code) => {
    const asked = await ask('explain', code);
    expect([asked.code, asked.out]).toEqual([2, '']);
    expect(asked.error).toContain('enigmctl explain lists them');
  });

  test('lists every code when it is asked for none', async () => {
    const all = categories.flatMap((category) => Object.keys(faults[category]).map((reason) => `${category}/${reason}`));
    expect(await askJson('explain')).toEqual({ code: 0, json: { codes: all } });
    expect((await ask('explain')).out.trim().split('\n')).toEqual(all);
  });
});

describe('enigmctl decide', () => {
  test('lists what this device decides on', async () => {
    expect(await askJson('decide', '--list')).toEqual({ code: 0, json: { actions } });
    const { code, out } = await ask('decide', '--list');
    expect(code).toBe(0);
    expect(out.trim().split('\n')).toEqual(
      Object.entries(actions).map(([name, { resources }]) => `${name} on ${resources.join(', ')}`),
    );
    expect((await ask('decide')).code).toBe(2);
  });

  test('shows an allow with the facts it was made of, on the resource that the action makes sense on', async () => {
    const asked: unknown[] = [];
    await using device = await serveDevice({
      'decision.authorize': async (request) => {
        asked.push(request);
        return ok({
          isAllowed: true,
          code: '',
          reasons: ['a-rule'],
          obligations: ['recheck'],
          facts: [{ name: 'posture', ageMs: 4 }],
        });
      },
    });
    const run = ['--run', device.directory];
    expect(await askJson(...run, 'decide', 'reboot-device')).toMatchObject({
      code: 0,
      json: { isAllowed: true, rules: ['a-rule'], facts: [{ name: 'posture' }] },
    });
    await ask(...run, 'decide', 'open-secure-call');
    await ask(...run, 'decide', 'open-secure-call', 'device');
    await ask(...run, 'decide', 'wipe-everything');
    expect(asked).toEqual([
      { action: 'reboot-device', resource: 'device' },
      { action: 'open-secure-call', resource: 'messaging' },
      { action: 'open-secure-call', resource: 'device' },
      { action: 'wipe-everything', resource: 'device' },
    ]);
  });

  test('ends with the exit code of the category that denied', async () => {
    let code = 'posture/stale';
    await using device = await serveDevice({
      'decision.authorize': async () => ok({ isAllowed: false, code, reasons: [], obligations: [], facts: [] }),
    });
    const decide = () => askJson('--run', device.directory, 'decide', 'open-secure-messaging');
    expect(await decide()).toMatchObject({ code: 3, json: { isAllowed: false, code: 'posture/stale' } });
    code = 'attestation/stale';
    expect((await decide()).code).toBe(4);
  });
});

describe('enigmctl posture', () => {
  const now = (observations: Observations) => postureOf(observations, 'active', nowBootMs, 0);

  test('prints every finding, and with --explain why each matters and every limit', async () => {
    const posture = now(perfect(nowBootMs));
    await using device = await serveDevice({ 'posture.read': async () => ok(posture) });
    const run = ['--run', device.directory, 'posture'];
    expect(await askJson(...run)).toEqual({ code: 0, json: posture });
    const plain = await ask(...run);
    const explained = await ask(...run, '--explain');
    expect(plain.out.trim().split('\n').length).toBe(1 + findingKinds.length);
    expect(limits.length).toBeGreaterThan(10);
    for (const limit of limits) {
      expect(explained.out).toContain(limit);
      expect(plain.out).not.toContain(limit);
    }
    expect(explained.out.split('\n').length).toBeGreaterThan(2 * findingKinds.length + limits.length);
  });

  test('names for each finding that is not fine what would change it', async () => {
    await using device = await serveDevice({ 'posture.read': async () => ok(now({})) });
    const { out } = await ask('--run', device.directory, 'posture');
    expect(out.match(/^ +next: .+\.$/gm)?.length).toBe(findingKinds.length);
  });
});

describe('enigmctl doctor', () => {
  interface Diagnosis {
    readonly checks: readonly { readonly name: string; readonly isFine: boolean; readonly text: string }[];
    readonly unread: readonly { readonly id: string; readonly text: string }[];
  }

  test('names every package and the device, each with how to get it where it is missing', async () => {
    await using place = noDevice();
    const { code, json } = await askJson('doctor', '--run', place.directory);
    const { checks, unread } = json as Diagnosis;
    expect(checks.map(({ name }) => name)).toEqual([...packages.map(({ name }) => name), 'device']);
    expect(checks.at(-1)).toMatchObject({ isFine: false, text: expect.stringContaining('start it') });
    for (const { name, isFine, text } of checks.slice(0, -1)) if (!isFine) expect(text).toContain(`apt-get install ${name}`);
    expect(unread).toEqual([]);
    expect(code).toBe(1);
  });

  test('names what the device cannot read about its machine, with the file and a remedy', async () => {
    await using device = await serveDevice({
      'device.status': async () => ok(status),
      'posture.read': async () => ok(postureOf({}, 'active', nowBootMs, 0)),
    });
    const { json } = await askJson('doctor', '--run', device.directory);
    const { checks, unread } = json as Diagnosis;
    expect(checks.at(-1)?.isFine).toBe(true);
    const platform = findingKinds.filter(({ judge }) => judge({ platform: perfect(0).platform }) !== undefined);
    expect(unread.map(({ id }) => id).sort()).toEqual(platform.map(({ id }) => id).sort());
    for (const { text } of unread) expect(text).toMatch(/\/(?:proc|sys)\/.* cannot be read here; ./);
  });
});

describe('enigmctl reboot and session', () => {
  test('show a denial as a refusal with its code, and nothing is restarted', async () => {
    await using device = await serveDevice({
      'device.reboot': async () =>
        ok({ isAllowed: false, code: 'identity/session-missing', reasons: [], obligations: [], facts: [] }),
    });
    expect(await askJson('--run', device.directory, 'reboot')).toEqual({
      code: 3,
      json: { fault: { category: 'identity', reason: 'session-missing' } },
    });
  });

  test('pass the cause on', async () => {
    const causes: string[] = [];
    await using device = await serveDevice({
      'device.reboot': async ({ cause }) => {
        causes.push(cause);
        return ok({ isAllowed: true, code: '', reasons: [], obligations: [], facts: [] });
      },
    });
    await ask('--run', device.directory, 'reboot');
    expect(await askJson('--run', device.directory, 'reboot', '--cause', 'after-an-update')).toEqual({
      code: 0,
      json: { isAllowed: true },
    });
    expect(causes).toEqual(['asked-by-user', 'after-an-update']);
  });

  test('present exactly the bytes of the file', async () => {
    const envelope = Uint8Array.from([1, 2, 0, 255, 10]);
    let seen: readonly number[] = [];
    await using device = await serveDevice({
      'session.present': async (request) => {
        seen = [...request.envelope];
        return ok({ kind: request.payloadType === 'session-statement' ? 'session' : 'identity', expiresMs: 0 });
      },
    });
    const path = join(device.directory, 'statement');
    writeFileSync(path, envelope);
    const run = ['--run', device.directory, 'session', 'session-statement'];
    expect(await askJson(...run, path)).toEqual({ code: 0, json: { kind: 'session', expiresMs: 0 } });
    expect(seen).toEqual([...envelope]);
    expect(await askJson(...run, join(device.directory, 'missing'))).toEqual({
      code: 4,
      json: { fault: { category: 'protocol', reason: 'file-unreadable' } },
    });
  });
});
