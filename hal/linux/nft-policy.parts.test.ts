import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { netPolicyContract, samplePolicies } from '#hal/contract/net-policy';
import { unwrap } from '#hal/core/result';
import { nativeCommands } from '#hal/native/commands-native';
import { addonPaths, buildAddons } from '#hal/native/testing';
import type { NetworkPolicy } from '#protos/gen/types';
import { linuxClock } from './clock.ts';
import { type NetworkLab, networkLab } from './network-lab.ts';
import { nftNetPolicy } from './nft-policy.ts';

const probe = existsSync('/usr/sbin/nft') ? await networkLab() : undefined;
if (probe?.ok) await probe.value[Symbol.asyncDispose]();
const why = probe === undefined ? 'apt-get install nftables' : probe.ok ? buildAddons() : 'no network namespace can be made here';
const isRoot = process.getuid?.() === 0;
const [open, listed, tunnel, silent] = samplePolicies as readonly [NetworkPolicy, NetworkPolicy, NetworkPolicy, NetworkPolicy];

const labs: NetworkLab[] = [];
const policyOn = ({ device }: Pick<NetworkLab, 'device'>) =>
  nftNetPolicy(unwrap(nativeCommands(addonPaths.sim, 'sim', device.before)), linuxClock());
const newLab = async () => {
  const lab = unwrap(await networkLab());
  labs.push(lab);
  return lab;
};

describe.skipIf(why !== undefined)(`nftables in a namespace of its own${why === undefined ? '' : ` (${why})`}`, () => {
  afterEach(async () => {
    for (const lab of labs.splice(0)) await lab[Symbol.asyncDispose]();
  });

  netPolicyContract('nftables', async () => policyOn(await newLab()));

  test('leaves foreign tables alone, and sees when its own was changed', async () => {
    const { device } = await newLab();
    const net = policyOn({ device });
    unwrap(await device.run('/usr/sbin/nft', ['add', 'table', 'inet', 'foreign']));
    unwrap(await device.run('/usr/sbin/nft', ['add', 'table', 'ip', 'enigm']));
    unwrap(await net.apply(listed));
    unwrap(await net.apply(silent));
    const tables = unwrap(await device.run('/usr/sbin/nft', ['list', 'tables']));
    expect(tables.trim().split('\n').sort()).toEqual(['table inet enigm', 'table inet foreign', 'table ip enigm']);

    unwrap(await device.run('/usr/sbin/nft', ['add', 'rule', 'inet', 'enigm', 'output', 'accept']));
    expect(unwrap(await net.read())?.digest).not.toEqual(net.expected(silent));
    unwrap(await net.apply(silent));
    expect(unwrap(await net.read())?.digest).toEqual(net.expected(silent));
  });

  test('keeps the old policy when the machine refuses the new one: a transaction is whole or nothing', async () => {
    const { device } = await newLab();
    const net = policyOn({ device });
    unwrap(await net.apply(silent));
    // 200 bytes are no interface name for the kernel; the schema of the policy does not let it through.
    const impossible = { ...tunnel, tunnel: { interface: 'x'.repeat(200), user: 1, port: 1 } };
    expect((await net.apply(impossible)).ok).toBe(false);
    expect(unwrap(await net.read())?.digest).toEqual(net.expected(silent));
  });

  describe('and packets', () => {
    let lab: NetworkLab;
    let far: Listener;
    let net: ReturnType<typeof nftNetPolicy>;
    beforeEach(async () => {
      lab = await newLab();
      far = await listen(lab);
      net = policyOn(lab);
    });
    afterEach(() => far.stop());

    test('arrive without a policy; with the kill switch none does, and it is counted', async () => {
      expect(await far.hears('before')).toBe(true);
      unwrap(await net.apply(silent));
      expect(await far.hears('silent')).toBe(false);
      expect(unwrap(await net.read())?.droppedOut).toBeGreaterThan(0);
      unwrap(await net.apply(open));
      expect(await far.hears('after')).toBe(true);
    });

    test('leave through the tunnel only: without it none does', async () => {
      unwrap(await net.apply({ ...tunnel, allowedUsers: [0] }));
      expect(await far.hears('outside the tunnel')).toBe(false);
      unwrap(await net.apply({ ...tunnel, allowedUsers: [0], tunnel: { interface: 'wan0', user: 900, port: 51_820 } }));
      expect(await far.hears('inside the tunnel')).toBe(true);
    });

    test('come in only as answers', async () => {
      unwrap(await net.apply(open));
      const device = await listen({ device: lab.far, far: lab.device });
      expect(await device.hears('uninvited')).toBe(false);
      device.stop();
      expect(unwrap(await net.read())?.droppedIn).toBeGreaterThan(0);
    });

    test.skipIf(!isRoot)('leave by user (root only: a namespace made without root has one user)', async () => {
      unwrap(await net.apply(listed));
      expect(await far.hears('listed', 1001)).toBe(true);
      expect(await far.hears('not listed', 1003)).toBe(false);
      expect(await far.hears('root is no exception', 0)).toBe(false);
      unwrap(await net.apply(open));
      expect(await far.hears('open', 1001)).toBe(true);
      expect(await far.hears('denied', 1003)).toBe(false);
    });

    test.skipIf(!isRoot)(
      "of the beacon relay leave in every mode, and nobody else's in a silent one (SR-11, root only)",
      async () => {
        const commands = unwrap(nativeCommands(addonPaths.sim, 'sim', lab.device.before));
        const guarded = nftNetPolicy(commands, linuxClock(), { relay: 1005 });
        for (const policy of samplePolicies) {
          unwrap(await guarded.apply(policy));
          expect(unwrap(await guarded.read())?.digest).toEqual(guarded.expected(policy));
          expect(await far.hears(`alert under ${policy.mode}`, 1005), policy.mode).toBe(true);
        }
        unwrap(await guarded.apply(silent));
        expect(await far.hears('of an app', 1001)).toBe(false);
        expect(await far.hears('of root', 0)).toBe(false);
      },
    );

    test.skipIf(!isRoot)('of the mouth leave wherever anybody may leave, and nowhere else (root only)', async () => {
      const commands = unwrap(nativeCommands(addonPaths.sim, 'sim', lab.device.before));
      const managed = nftNetPolicy(commands, linuxClock(), { relay: 1005, mouth: 1006 });
      const throughTunnel = { ...tunnel, tunnel: { interface: 'wan0', user: 900, port: 51_820 } };
      for (const [policy, isHeard] of [
        [listed, true],
        [throughTunnel, true],
        [tunnel, false],
        [silent, false],
      ] as const) {
        unwrap(await managed.apply(policy));
        expect(unwrap(await managed.read())?.digest).toEqual(managed.expected(policy));
        expect(await far.hears(`report of ${isHeard} under ${policy.mode}`, 1006), policy.mode).toBe(isHeard);
      }
    });

    test.skipIf(!isRoot)(
      'do not leave for a blocked user, also under the next policy, until its time is over (root only)',
      async () => {
        const clock = linuxClock();
        expect(await net.block(1001, clock.bootMs() + 1_000)).toMatchObject({ ok: false, fault: { reason: 'missing' } });
        unwrap(await net.apply(listed));
        unwrap(await net.block(1001, clock.bootMs() + 3_000));
        expect(await far.hears('blocked', 1001)).toBe(false);
        expect(await far.hears('another', 1002)).toBe(true);
        expect(unwrap(await net.read())?.digest).toEqual(net.expected(listed));
        unwrap(await net.apply(open));
        expect(await far.hears('still blocked', 1001)).toBe(false);
        await new Promise((resolve) => setTimeout(resolve, 4_000));
        expect(await far.hears('free again', 1001)).toBe(true);
      },
    );
  });
});

interface Listener {
  /** Sends one datagram from the other side, as a user where one is given. */
  hears(word: string, user?: number): Promise<boolean>;
  stop(): void;
}

const port = 4711;
/** A packet over a cable within one kernel needs no longer than this. */
const patienceMs = 400;

const listen = async ({ device, far }: Pick<NetworkLab, 'device' | 'far'>): Promise<Listener> => {
  const source = `const s=require('dgram').createSocket('udp4');s.on('message',(m)=>console.log(String(m)));s.bind(${port},()=>console.log('ready'))`;
  const [program = '', ...words] = far.before;
  const listener: ChildProcess = spawn(program, [...words, process.execPath, '-e', source], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let heard = '';
  const wait = async (word: string) => {
    for (let waitedMs = 0; waitedMs < patienceMs && !heard.includes(word); waitedMs += 10)
      await new Promise((resolve) => setTimeout(resolve, 10));
    return heard.includes(word);
  };
  listener.stdout?.on('data', (data: Buffer) => {
    heard += data.toString();
  });
  while (!(await wait('ready'))) expect(listener.exitCode).toBeNull();
  return {
    async hears(word, user) {
      const [sender = '', ...before] = device.before;
      const as = user === undefined ? [] : ['setpriv', `--reuid=${user}`, '--clear-groups'];
      const send = `echo '${word}' > /dev/udp/${far.address}/${port}`;
      try {
        execFileSync(sender, [...before, ...as, 'bash', '-c', send], { stdio: 'ignore' });
      } catch {
        // The kernel told the sender: operation not permitted.
      }
      return wait(word);
    },
    stop: () => void listener.kill('SIGKILL'),
  };
};
