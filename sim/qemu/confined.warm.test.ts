/** What the kernel of a real machine holds its programs to, whatever they do (SR-31), and that its mouth has no TPM (SR-02). */
import { createPublicKey, verify } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { accounts, userOf } from '#agents/package/accounts';
import { confined } from '#agents/package/confinement';
import { type ProgramName, programNames } from '#agents/supervisor/launch';
import { tpmEnvironment } from '#agents/supervisor/tpm-provider';
import { unwrap } from '#hal/core/result';
import { askAsMouth } from './guest-tool.fixture.ts';
import type { RunningMachine } from './machine.ts';
import { missingForMachines } from './missing.ts';
import { warmMachine, warmUp } from './warm.fixture.ts';

const missing = missingForMachines();
/** No Key is plugged in. */
const running = programNames.filter((name) => name !== 'beacond');
/** linux/capability.h */
const bits = { DAC_OVERRIDE: 1, FOWNER: 3, LINUX_IMMUTABLE: 9, NET_ADMIN: 12 } as const;
/** TPM_RC_COMMAND_CODE: to the filter these commands do not exist. */
const noSuchCommand = '0x143';

describe.skipIf(missing !== undefined)(`the programs of a real machine ${missing ?? ''}`, () => {
  let machine: RunningMachine;
  beforeAll(async () => {
    await warmUp();
    machine = await warmMachine('confined');
  });
  afterAll(() => machine?.powerCut());

  /** A field of `proc_pid_status(5)`. */
  const statusOf = async (name: ProgramName, field: string): Promise<string> =>
    unwrap(await machine.shell(`grep ^${field}: /proc/$(busybox pidof enigm-${name})/status | cut -f2`));

  test('are users of their own, with no privilege to be had', async () => {
    const users: string[] = [];
    for (const name of running) users.push(unwrap(await machine.shell(`grep ^${userOf(name)}: /etc/passwd | cut -d: -f3`)));
    expect(new Set(users).size).toBe(running.length);
    for (const [index, name] of running.entries()) {
      expect(await statusOf(name, 'Uid'), name).toBe(users[index]);
      expect(await statusOf(name, 'NoNewPrivs'), name).toBe('1');
    }
  });

  test('have no capability but those of the hands', async () => {
    for (const name of running) {
      const kept = name === 'hald' ? [...(accounts.hald.capabilities ?? []), 'FOWNER', 'LINUX_IMMUTABLE'] : [];
      const mask = (kept as readonly (keyof typeof bits)[]).reduce((sum, one) => sum + 2 ** bits[one], 0);
      for (const field of ['CapEff', 'CapBnd', 'CapInh'])
        expect(await statusOf(name, field), name).toBe(mask.toString(16).padStart(16, '0'));
    }
  });

  test('are alone in their network, where they are the mind and the engine', async () => {
    const ofTheMachine = unwrap(await machine.shell('busybox readlink /proc/1/ns/net'));
    for (const name of running)
      expect(
        unwrap(await machine.shell(`busybox readlink /proc/$(busybox pidof enigm-${name})/ns/net`)) === ofTheMachine,
        name,
      ).toBe(accounts[name].isAlone !== true);
  });

  test('do not get to the TPM where they are the mouth, nor to anybody before it (SR-02)', async () => {
    const said = unwrap(await askAsMouth<Readonly<Record<string, string>>>(machine));
    const { device, 'resource manager': manager, 'memory of the mind': memory, ...rest } = said;
    expect([device, manager, memory]).toEqual(['EACCES', 'EACCES', 'EACCES']);
    const { 'door of the hands': hands, 'door of the factory': factory, ...commands } = rest;
    // Their folder is not the one where the mouth finds the filtered TPM.
    expect([hands, factory]).toEqual(['EACCES', 'EACCES']);
    expect(Object.keys(commands)).toEqual(expect.arrayContaining(['quote', 'increment-counter', 'unseal']));
    expect(new Set(Object.values(commands))).toEqual(new Set([noSuchCommand]));
  });

  test('sign by the TPM where they are the mouth, with its provider and its file, and as nobody else (SR-02)', async () => {
    expect(
      Number(unwrap(await machine.shell('grep -c ossl-modules/tpm2.so /proc/$(busybox pidof enigm-linkd)/maps'))),
    ).toBeGreaterThan(0);
    const folder = '/run/enigm/linkd';
    const words = Object.entries(tpmEnvironment(folder)).map(([name, value]) => `${name}=${value}`);
    const script = [
      `const file = require('node:fs').readFileSync('${folder}/tpm.pem');`,
      "const { createPublicKey, sign } = require('node:crypto');",
      "const info = createPublicKey(file).export({ format: 'der', type: 'spki' });",
      "console.log([info, sign('sha256', Buffer.from('said'), file)].map((bytes) => bytes.toString('base64')).join(' '));",
    ].join(' ');
    const flags = '--no-warnings --openssl-config=/usr/lib/enigm/linkd.cnf';
    const saidBy = async (name: ProgramName) =>
      unwrap(
        await machine.shell(
          `${words.join(' ')} ${confined(name).join(' ')} node ${flags} -e "${script}" 2>&1 | tail -n 1`,
          120_000,
        ),
      );
    const [info = '', signature = ''] = (await saidBy('linkd')).split(' ');
    const key = createPublicKey({ key: Buffer.from(info, 'base64'), format: 'der', type: 'spki' });
    expect(key.asymmetricKeyDetails?.namedCurve).toBe('prime256v1');
    expect(verify('sha256', Buffer.from('said'), key, Buffer.from(signature, 'base64'))).toBe(true);
    expect(await saidBy('paged')).not.toContain(info);
  });
});
