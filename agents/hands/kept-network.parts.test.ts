/** The kept network policy over real packet rules, in a network of its own. */
import { existsSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { codeOf, unwrap } from '#hal/core/result';
import { linuxClock } from '#hal/linux/clock';
import { type NetworkLab, networkLab } from '#hal/linux/network-lab';
import { nftNetPolicy } from '#hal/linux/nft-policy';
import { memoryStore } from '#hal/memory/durable-store';
import { nativeCommands } from '#hal/native/commands-native';
import { addonPaths, buildAddons } from '#hal/native/testing';
import type { NetworkPolicy } from '#protos/gen/types';
import { keptNetwork } from './kept-network.ts';

const nft = '/usr/sbin/nft';
const probe = existsSync(nft) ? await networkLab() : undefined;
if (probe?.ok) await probe.value[Symbol.asyncDispose]();
const why = probe === undefined ? 'apt-get install nftables' : probe.ok ? buildAddons() : 'no network namespace can be made here';

const listed: NetworkPolicy = { mode: 'listed', allowedUsers: [1001], deniedUsers: [] };
const silent: NetworkPolicy = { mode: 'silent', allowedUsers: [], deniedUsers: [] };

describe.skipIf(why !== undefined)(`the network of a machine that starts${why === undefined ? '' : ` (${why})`}`, () => {
  let lab: NetworkLab;
  let disk: Map<string, Uint8Array>;
  beforeEach(async () => {
    lab = unwrap(await networkLab());
    disk = new Map();
  });
  afterEach(() => lab[Symbol.asyncDispose]());

  const rules = async (...words: readonly string[]): Promise<string> => unwrap(await lab.device.run(nft, words));
  /** The hands of one life, over the rules that the kernel has. */
  const newLife = () =>
    keptNetwork(nftNetPolicy(unwrap(nativeCommands(addonPaths.sim, 'sim', lab.device.before)), linuxClock()), memoryStore(disk));

  test('is under the policy of before again, once its rules are gone', async () => {
    unwrap(await newLife().apply(listed));
    await rules('flush', 'ruleset');
    await rules('add', 'table', 'inet', 'foreign');
    const hands = newLife();
    unwrap(await hands.restore());
    expect(unwrap(await hands.read())?.digest).toEqual(hands.expected(listed));
    expect((await rules('list', 'tables')).trim().split('\n').sort()).toEqual(['table inet enigm', 'table inet foreign']);
  });

  test('lets nothing pass where the policy of before cannot be read, and leaves foreign tables as they are', async () => {
    unwrap(await newLife().apply(listed));
    for (const [key, record] of disk) disk.set(key, record.slice(1));
    await rules('flush', 'ruleset');
    await rules('add', 'table', 'inet', 'foreign');
    const hands = newLife();
    const restored = await hands.restore();
    expect(restored.ok ? 'done' : codeOf(restored.fault)).toBe('unavailable/storage-failed');
    expect(unwrap(await hands.read())?.digest).toEqual(hands.expected(silent));
    expect((await rules('list', 'tables')).trim().split('\n').sort()).toEqual(['table inet enigm', 'table inet foreign']);
  });

  test('keeps a user blocked whom the kernel blocks, when the hands alone start again', async () => {
    const hands = newLife();
    unwrap(await hands.apply(listed));
    unwrap(await hands.block(1001, linuxClock().bootMs() + 60_000));
    unwrap(await newLife().restore());
    expect(await rules('list', 'set', 'inet', 'enigm', 'blocked')).toContain('1001 timeout');
  });
});
