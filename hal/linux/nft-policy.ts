/**
 * `NetPolicy` by nftables: one transaction, read back, compared.
 *
 * Foreign tables are neither read nor touched. Limit: whoever is root in the same network namespace can change the
 * table; the next read says so, and nothing here prevents it.
 */
import { equalBytes } from '#hal/core/bytes';
import { attempt, deny, done, ok, type Result } from '#hal/core/result';
import type { Clock } from '#hal/ports/clock';
import type { Commands } from '#hal/ports/commands';
import type { NetPolicy } from '#hal/ports/net-policy';
import type { NetworkPolicy, NetworkState } from '#protos/gen/types';
import {
  blockDocumentOf,
  blocked,
  checkPolicy,
  counters,
  digestOf,
  documentOf,
  type NftObject,
  type OwnUsers,
  rulesOf,
  table,
} from './nft-rules.ts';

const nft = '/usr/sbin/nft';

export const nftNetPolicy = (commands: Commands, clock: Pick<Clock, 'bootMs'>, own: OwnUsers = {}): NetPolicy => {
  const expected = (policy: NetworkPolicy): Uint8Array => digestOf(rulesOf(policy, own));
  /** Until when each user is blocked: a new policy comes with a new table, which must know. */
  const blocks = new Map<number, number>();
  const loadBlocks = async (): Promise<Result<void>> => {
    const nowMs = clock.bootMs();
    for (const [user, untilBootMs] of blocks) if (untilBootMs <= nowMs) blocks.delete(user);
    if (blocks.size === 0) return done;
    const seconds = new Map([...blocks].map(([user, untilBootMs]) => [user, Math.ceil((untilBootMs - nowMs) / 1000)]));
    const loaded = await commands.run(nft, ['-j', '-f', '-'], blockDocumentOf(seconds));
    return loaded.ok ? done : loaded;
  };
  const read = async (): Promise<Result<NetworkState | undefined>> => {
    const tables = await commands.run(nft, ['-j', 'list', 'tables']);
    if (!tables.ok) return tables;
    const listed = parse(tables.value);
    if (!listed.ok) return listed;
    if (!listed.value.some((object) => isOurs(object['table']))) return ok(undefined);
    const printed = await commands.run(nft, ['-j', '--numeric-protocol', 'list', 'table', table.family, table.name]);
    if (!printed.ok) return printed;
    const objects = parse(printed.value);
    return objects.ok ? ok(stateOf(objects.value)) : objects;
  };
  return {
    expected,
    read,
    async block(user, untilBootMs) {
      const state = await read();
      if (!state.ok) return state;
      if (state.value === undefined) return deny('policy', 'missing');
      blocks.set(user, Math.max(untilBootMs, blocks.get(user) ?? 0));
      return loadBlocks();
    },
    async apply(policy) {
      const checked = checkPolicy(policy);
      if (!checked.ok) return checked;
      const loaded = await commands.run(nft, ['-j', '-f', '-'], documentOf(policy, own));
      if (!loaded.ok) return loaded;
      const kept = await loadBlocks();
      if (!kept.ok) return kept;
      const state = await read();
      if (!state.ok) return state;
      return state.value !== undefined && equalBytes(state.value.digest, expected(policy))
        ? ok(state.value)
        : deny('integrity', 'read-back', 'the rules in force are others');
    },
  };
};

const isOurs = (value: unknown): boolean => {
  const { family, name } = (value ?? {}) as { readonly family?: unknown; readonly name?: unknown };
  return family === table.family && name === table.name;
};

const parse = (printed: string): Result<readonly NftObject[]> =>
  attempt(
    () => (JSON.parse(printed) as { readonly nftables: readonly NftObject[] }).nftables,
    (cause) => deny('protocol', 'malformed', `nft: ${cause}`),
  );

type Listed = Readonly<Record<string, { readonly [key: string]: unknown; readonly chain?: string }>>;

/** What nft adds of its own is left out; objects are put in the order in which a policy states them. */
const stateOf = (objects: readonly NftObject[]): NetworkState => {
  const kept = (objects as readonly Listed[]).filter((object) => !('metainfo' in object));
  const kinds = ['table', 'counter', 'set', 'chain', 'rule'];
  const rank = (object: Listed): number => {
    const [kind = ''] = Object.keys(object);
    const within =
      kind === 'rule' ? chainOrder.indexOf(object[kind]?.chain ?? '') : nameOrder.indexOf(String(object[kind]?.['name']));
    return kinds.indexOf(kind) * 16 + within;
  };
  const ordered = [...kept].sort((a, b) => rank(a) - rank(b)).map(withoutCounts);
  const packets = (name: string) =>
    Number(kept.find((object) => object['counter']?.['name'] === name)?.['counter']?.['packets'] ?? 0);
  return { digest: digestOf(ordered), droppedIn: packets(counters.in), droppedOut: packets(counters.out) };
};

const chainOrder = ['input', 'forward', 'output'];
const nameOrder = [table.name, counters.in, counters.out, 'allowed', 'denied', blocked, ...chainOrder];

const withoutCounts = (object: Listed): NftObject =>
  Object.fromEntries(
    Object.entries(object).map(([kind, value]) => {
      const { handle, packets, bytes, ...rest } = value;
      if (rest['name'] !== blocked) return [kind, rest];
      const { elem, ...set } = rest;
      return [kind, set];
    }),
  );
