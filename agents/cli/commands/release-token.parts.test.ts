import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { missingForTokens, openSoftToken, softToken, tokenProgram } from '#hal/linux/signing-token.fixture';
import { bundleClasses } from '#ota-client/trust/release';
import { askJson } from '../enigmctl.fixture.ts';

const missing = missingForTokens();
const release = async (...words: readonly string[]) => {
  const { json } = await askJson('release', ...words);
  const { fault } = json as { readonly fault?: { readonly category: string; readonly reason: string } };
  return { json: json as Record<string, unknown>, code: fault === undefined ? 'ok' : `${fault.category}/${fault.reason}` };
};

describe.skipIf(missing !== undefined)(`an office with keys in tokens${missing === undefined ? '' : `: ${missing}`}`, () => {
  let soft: ReturnType<typeof openSoftToken>;
  const at = (name: string) => `${soft.directory}/${name}`;
  const before = process.env['ENIGM_TOKEN'];
  beforeAll(() => {
    soft = openSoftToken();
    process.env['ENIGM_TOKEN'] = tokenProgram;
    writeFileSync(at('pin'), `${softToken.pin}\n`);
    writeFileSync(at('wrong'), '0000\n');
    mkdirSync(at('keys'));
  });
  afterAll(() => {
    if (before === undefined) delete process.env['ENIGM_TOKEN'];
    else process.env['ENIGM_TOKEN'] = before;
    soft?.remove();
  });
  const make = (name: string, role: string, ...rest: readonly string[]) =>
    release('key', name, '--role', role, '--out', at(`keys/${name}.json`), '--public', at(`${name}.public`), ...rest);
  const inToken = () => ['--pkcs11', softToken.module, '--token', softToken.token, '--pin', at('pin')] as const;
  const sign = (name: string, ...rest: readonly string[]) =>
    release('sign', '--request', at('request'), '--key', at(`keys/${name}.json`), '--out', at(`${name}.signatures`), ...rest);

  test('SR-09: the classical half never leaves the token, and both halves sign', async () => {
    expect((await make('os-first', 'os', ...inToken())).code).toBe('ok');
    expect((await make('publisher', 'publisher', ...inToken())).code).toBe('ok');
    expect(JSON.parse(readFileSync(at('keys/os-first.json'), 'utf8'))).not.toHaveProperty('classical');
    const rest = [...bundleClasses.flatMap((name) => [`${name}-first`, `${name}-second`]), 'owner-first', 'owner-second'];
    for (const name of rest.filter((name) => name !== 'os-first'))
      expect((await make(name, name.replace(/-(?:first|second)$/, ''))).code).toBe('ok');
    const publics = [...rest, 'publisher'].map((name) => at(`${name}.public`));
    expect((await release('init', at('office'), '--custodian', ...publics, '--out', at('request'))).code).toBe('ok');
    for (const name of rest) expect((await sign(name, '--pin', at('pin'))).code).toBe('ok');
    const files = rest.map((name) => at(`${name}.signatures`));
    expect((await release('accept', at('office'), 'founding', ...files)).json).toMatchObject({ waitingFor: [] });
    const stage = (...words: readonly string[]) =>
      release('stage', at('office'), 'founding', '--key', at('keys/publisher.json'), ...words);
    expect((await stage()).code).toBe('identity/pin-refused');
    expect((await stage('--pin', at('wrong'))).code).toBe('identity/pin-refused');
    expect((await stage('--pin', at('pin'))).code).toBe('ok');
  });

  test('a key file that names another key of the token signs nothing', async () => {
    const file = JSON.parse(readFileSync(at('keys/os-first.json'), 'utf8')) as { token: { key: string } };
    file.token.key = 'publisher';
    writeFileSync(at('keys/os-third.json'), JSON.stringify(file));
    expect((await sign('os-third', '--pin', at('pin'))).code).toBe('integrity/signature-invalid');
  });
});
