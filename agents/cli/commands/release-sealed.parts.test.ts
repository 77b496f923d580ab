/** An office whose keys open on one machine alone: its TPM is in software, behind a device path, under the addon that ships. */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTpmDevice } from '#hal/contract/tpm-line.fixture';
import { utf8 } from '#hal/core/bytes';
import { unwrap } from '#hal/core/result';
import { missingForTokens, openSoftToken, softToken, tokenProgram } from '#hal/linux/signing-token.fixture';
import { handles } from '#hal/native/commands';
import { openEsys } from '#hal/native/esys';
import { addonPaths, buildAddons, temporaryDirectory } from '#hal/native/testing';
import { tpm2b } from '#hal/tpm/public';
import { bundleClasses } from '#ota-client/trust/release';
import { ask, askJson } from '../enigmctl.fixture.ts';

const missing = buildAddons() ?? (existsSync('/usr/bin/socat') ? undefined : 'socat is not installed');
const noToken = missingForTokens();
const names = ['ENIGM_ADDON', 'ENIGM_TOKEN'] as const;
const pins = { tpm: '271828', token: softToken.pin };

const release = async (...words: readonly string[]) => {
  const { json } = await askJson('release', ...words);
  const { fault } = json as { readonly fault?: { readonly category: string; readonly reason: string } };
  return { json: json as Record<string, unknown>, code: fault === undefined ? 'ok' : `${fault.category}/${fault.reason}` };
};

describe.skipIf(missing !== undefined)(`an office with sealed keys ${missing ?? ''}`, () => {
  const before = names.map((name) => [name, process.env[name]] as const);
  let directory: ReturnType<typeof temporaryDirectory>;
  let device: Awaited<ReturnType<typeof startTpmDevice>>;
  let other: Awaited<ReturnType<typeof startTpmDevice>>;
  const at = (name: string) => join(directory.path, name);
  beforeAll(async () => {
    directory = temporaryDirectory();
    device = await startTpmDevice(at('tpm'));
    other = await startTpmDevice(at('other'));
    process.env['ENIGM_ADDON'] = addonPaths.release;
    process.env['ENIGM_TOKEN'] = tokenProgram;
    for (const { path } of [device, other]) {
      await using esys = unwrap(await openEsys({ addon: addonPaths.release, device: path }));
      await esys.hierarchyChangeAuth(handles.lockout, [handles.password], tpm2b(utf8('of the owner')));
    }
    writeFileSync(at('pin'), `${pins.tpm}\n`);
    writeFileSync(at('wrong'), '314159\n');
    writeFileSync(at('both'), `${pins.token}\n${pins.tpm}\n`);
    mkdirSync(at('keys'));
  });
  afterAll(async () => {
    for (const [name, value] of before)
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    await device[Symbol.asyncDispose]();
    await other[Symbol.asyncDispose]();
    directory[Symbol.dispose]();
  });

  const key = (name: string) => at(`keys/${name}.json`);
  const make = (name: string, role: string, ...rest: readonly string[]) =>
    release('key', name, '--role', role, '--out', key(name), '--public', at(`${name}.public`), ...rest);
  const sealed = (pin = 'pin') => ['--sealed', '--tpm', device.path, '--pin', at(pin)] as const;
  const here = (pin = 'pin') => ['--tpm', device.path, '--pin', at(pin)] as const;
  const signWords = (name: string, ...rest: readonly string[]) =>
    ['release', 'sign', '--request', at('request'), '--key', key(name), '--out', at(`${name}.signatures`), ...rest] as const;
  const sign = (name: string, ...rest: readonly string[]) => release(...signWords(name, ...rest).slice(1));
  const held = (name: string) => JSON.parse(readFileSync(key(name), 'utf8')) as Record<string, Record<string, string>>;

  const custodians = [...bundleClasses.flatMap((one) => [`${one}-first`, `${one}-second`]), 'owner-first', 'owner-second'];

  test('SR-09: both seeds lie in no file, both halves sign, and the office takes them', async () => {
    expect((await make('os-first', 'os', ...sealed())).code).toBe('ok');
    expect((await make('publisher', 'publisher', ...sealed())).code).toBe('ok');
    expect(Object.keys(held('os-first'))).toEqual(['name', 'role', 'sealed']);
    for (const name of custodians.filter((one) => one !== 'os-first'))
      expect((await make(name, name.replace(/-(?:first|second)$/, ''))).code).toBe('ok');
    const publics = [...custodians, 'publisher'].map((name) => at(`${name}.public`));
    expect((await release('init', at('office'), '--custodian', ...publics, '--out', at('request'))).code).toBe('ok');
    for (const name of custodians) expect((await sign(name, ...here())).code).toBe('ok');
    const files = custodians.map((name) => at(`${name}.signatures`));
    expect((await release('accept', at('office'), 'founding', ...files)).json).toMatchObject({ waitingFor: [] });
    const stage = (...words: readonly string[]) =>
      release('stage', at('office'), 'founding', '--key', key('publisher'), ...words);
    expect((await stage('--tpm', device.path)).code).toBe('identity/pin-refused');
    expect((await stage(...here())).code).toBe('ok');
    expect((await release('renew', at('office'), '--key', key('publisher'), ...here())).code).toBe('ok');
  });

  test('a PIN is in no argument, no output and no refusal; each refusal has one sentence more', async () => {
    rmSync(at('os-first.signatures'));
    const said: [string, string][] = [];
    const refused = async (words: readonly string[]): Promise<string> => {
      const { out, error } = await ask(...words);
      expect(out + error).not.toMatch(/271828|314159/);
      said.push([error.split(':')[0] ?? '', error.split('\n')[1]?.trim() ?? '']);
      return said.at(-1)?.[0] ?? '';
    };
    expect(await refused(signWords('os-first', ...here('wrong')))).toBe('identity/pin-refused');
    expect(await refused(signWords('os-first', '--tpm', device.path))).toBe('identity/pin-refused');
    expect(await refused(signWords('os-first', '--tpm', '/nowhere/tpm', '--pin', at('pin')))).toBe('unavailable/tpm-missing');
    expect(await refused(signWords('os-first', '--tpm', other.path, '--pin', at('pin')))).toBe('unavailable/sealed-elsewhere');
    process.env['ENIGM_ADDON'] = '/nowhere/tpm.node';
    expect(await refused(signWords('os-first', ...here()))).toBe('unavailable/tpm-missing');
    process.env['ENIGM_ADDON'] = addonPaths.release;
    for (const [, sentence] of said) expect(sentence.length).toBeGreaterThan(15);
    expect(existsSync(at('os-first.signatures'))).toBe(false);
  });

  test('a file that was changed signs nothing: not what is wrapped, not a public half, not a form of its own', async () => {
    const changed = async (change: (file: Record<string, Record<string, string>>) => void) => {
      const file = held('os-first');
      change(file);
      writeFileSync(key('changed'), JSON.stringify(file));
      return (await sign('changed', ...here())).code;
    };
    const swapFirst = (text = '') => (text.startsWith('A') ? 'B' : 'A') + text.slice(1);
    expect(
      await changed((file) => Object.assign(file['sealed'] ?? {}, { wrapped: swapFirst(file['sealed']?.['wrapped']) })),
    ).toBe('integrity/decryption-failed');
    for (const half of ['ed25519', 'mlDsa65'])
      expect(await changed((file) => Object.assign(file['sealed'] ?? {}, { [half]: swapFirst(file['sealed']?.[half]) }))).toBe(
        'integrity/signature-invalid',
      );
    const publisher = held('publisher')['sealed'] ?? {};
    expect(await changed((file) => Object.assign(file['sealed'] ?? {}, { wrapped: publisher['wrapped'] }))).toBe(
      'integrity/signature-invalid',
    );
    expect(await changed((file) => delete file['sealed'])).toBe('protocol/config-invalid');
  });

  test('a key whose TPM is lost is replaced by one on another machine, and the office goes on', async () => {
    const elsewhere = ['--tpm', other.path, '--pin', at('pin')] as const;
    expect((await make('os-fifth', 'os', '--sealed', ...elsewhere)).code).toBe('ok');
    const remaining = [...custodians.filter((name) => name !== 'os-first'), 'os-fifth'];
    const publics = [...remaining, 'publisher'].map((name) => at(`${name}.public`));
    expect((await release('reissue', at('office'), '--custodian', ...publics, '--out', at('request'))).code).toBe('ok');
    for (const name of remaining) expect((await sign(name, ...elsewhere)).code).toBe('ok');
    const files = remaining.map((name) => at(`${name}.signatures`));
    expect((await release('accept', at('office'), 'reissue', ...files)).json).toMatchObject({ waitingFor: [] });
    expect((await release('stage', at('office'), 'reissue', '--key', key('publisher'), ...here())).code).toBe('ok');
    expect(existsSync(at('office/repository/metadata/2.root.json'))).toBe(true);
  });

  test('too many wrong PINs lock the TPM, and no key is made by it then', async () => {
    expect((await make('locked', 'os', '--sealed', '--tpm', other.path, '--pin', at('pin'))).code).toBe('ok');
    const tries = async () => (await sign('locked', '--tpm', other.path, '--pin', at('wrong'))).code;
    const codes: string[] = [];
    while (codes.length < 10 && codes.at(-1) !== 'unavailable/tpm-locked-out') codes.push(await tries());
    expect(new Set(codes)).toEqual(new Set(['identity/pin-refused', 'unavailable/tpm-locked-out']));
    expect((await sign('locked', '--tpm', other.path, '--pin', at('pin'))).code).toBe('unavailable/tpm-locked-out');
    const none = await make('later', 'os', '--sealed', '--tpm', other.path, '--pin', at('pin'));
    expect(none.code).toBe('unavailable/tpm-locked-out');
    expect(existsSync(key('later'))).toBe(false);
  });

  test('a key is not made without a PIN, nor over another one, and the TPM keeps nothing of it but its root', async () => {
    expect((await make('os-third', 'os', '--sealed', '--tpm', device.path)).code).toBe('identity/pin-refused');
    expect((await make('os-third', 'os', ...sealed('nothing'))).code).toBe('protocol/file-unreadable');
    expect((await make('os-first', 'os', ...sealed())).code).toBe('protocol/event-refused');
    await using esys = unwrap(await openEsys({ addon: addonPaths.release, device: device.path }));
    // TPM_CAP_HANDLES, Part 2 §6.12: transient, loaded sessions, persistent.
    const handlesFrom = async (first: number) => Buffer.from((await esys.getCapability([], 1, first, 8))[1]).toString('hex');
    expect(await handlesFrom(0x80000000)).toBe('0000000100000000');
    expect(await handlesFrom(0x02000000)).toBe('0000000100000000');
    expect(await handlesFrom(0x81000000)).toBe('000000010000000181000001');
  });

  describe.skipIf(noToken !== undefined)(`with the classical half in a token ${noToken ?? ''}`, () => {
    let soft: ReturnType<typeof openSoftToken>;
    beforeAll(() => {
      soft = openSoftToken();
    });
    afterAll(() => soft?.remove());
    const inToken = ['--pkcs11', softToken.module, '--token', softToken.token] as const;

    test('what the token lacks is sealed, and each has its own PIN', async () => {
      expect((await make('os-fourth', 'os', ...inToken, ...sealed())).code).toBe('identity/pin-refused');
      expect((await make('os-fourth', 'os', ...inToken, ...sealed('both'))).code).toBe('ok');
      const file = held('os-fourth');
      expect(Object.keys(file)).toEqual(['name', 'role', 'token', 'sealed']);
      expect(file['sealed']).not.toHaveProperty('ed25519');
      expect((await sign('os-fourth', ...here('both'))).code).toBe('ok');
      expect((await sign('os-fourth', ...here())).code).toBe('identity/pin-refused');
      writeFileSync(at('half'), `${pins.token}\n314159\n`);
      expect((await sign('os-fourth', ...here('half'))).code).toBe('identity/pin-refused');
      expect((await sign('os-fourth', '--tpm', other.path, '--pin', at('both'))).code).toBe('unavailable/sealed-elsewhere');
    });
  });
});
