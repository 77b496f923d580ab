import { describe, expect, test } from 'vitest';
import { ok, unwrap } from '#hal/core/result';
import { virtualClock } from '#hal/memory/clock';
import type { Commands } from '#hal/ports/commands';
import type { NetworkPolicy } from '#protos/gen/types';
import { nftNetPolicy } from './nft-policy.ts';
import { blockDocumentOf, documentOf, type NftObject, rulesOf } from './nft-rules.ts';

const users = { allowedUsers: [1000, 1001], deniedUsers: [33] };
const policies: readonly NetworkPolicy[] = [
  { mode: 'open', ...users },
  { mode: 'listed', ...users },
  { mode: 'silent', allowedUsers: [], deniedUsers: [] },
  { mode: 'tunnel', ...users, tunnel: { interface: 'wg0', user: 0, port: 51_820 } },
];

interface Rule {
  readonly rule: { readonly expr: readonly Readonly<Record<string, unknown>>[] };
}
const isRule = (object: NftObject): object is NftObject & Rule => 'rule' in object;
const statements = (policy: NetworkPolicy) =>
  rulesOf(policy)
    .filter(isRule)
    .flatMap(({ rule }) => rule.expr);
/** What a rule looks at in a packet, as `protocol field` or by its key. */
const looksAt = (statement: Readonly<Record<string, unknown>>): readonly string[] => {
  const left = (statement['match'] as { readonly left?: Readonly<Record<string, Readonly<Record<string, string>>>> })?.left;
  return Object.entries(left ?? {}).map(([kind, { protocol, field, key }]) =>
    [kind, protocol, field, key].filter(Boolean).join(' '),
  );
};

describe.each(policies)('packet rules of the mode $mode', (policy) => {
  test('only match, count and end: none writes a log, keeps a list, or hands a packet on', () => {
    expect(statements(policy).length).toBeGreaterThan(3);
    for (const statement of statements(policy))
      expect(['match', 'counter', 'accept', 'drop', 'reject']).toContain(Object.keys(statement).join());
  });

  test('look at who sends and by which interface, and at no address', () => {
    const known = [
      ...['meta iif', 'meta oif', 'meta oifname', 'meta skuid', 'meta l4proto', 'ct state'],
      ...['payload icmpv6 type', 'payload udp dport'],
    ];
    for (const statement of statements(policy)) for (const field of looksAt(statement)) expect(known).toContain(field);
  });

  test('keep users in their sets, and sums of all packets in two counters', () => {
    const kept = rulesOf(policy)
      .flatMap((object) => Object.entries(object))
      .filter(([kind]) => kind !== 'rule');
    expect(new Set(kept.map(([kind]) => kind))).toEqual(new Set(['table', 'counter', 'set', 'chain']));
    const sets = kept.filter(([kind]) => kind === 'set').map(([, set]) => set as Readonly<Record<string, unknown>>);
    expect(sets.map(({ name, type }) => `${name} ${type}`)).toEqual(['allowed uid', 'denied uid', 'blocked uid']);
    expect(kept.filter(([kind]) => kind === 'counter')).toHaveLength(2);
  });

  test('are read back as a digest and the two sums, and as nothing else', async () => {
    const listed = rulesOf(policy).map((object) =>
      'counter' in object ? { counter: { ...(object['counter'] as object), handle: 3, packets: 7, bytes: 420 } } : object,
    );
    const commands: Commands = { run: async () => ok(JSON.stringify({ nftables: listed })) };
    const net = nftNetPolicy(commands, virtualClock());
    expect(unwrap(await net.read())).toEqual({ digest: net.expected(policy), droppedIn: 7, droppedOut: 7 });
  });

  test('come as one transaction of our own table', () => {
    const { nftables } = JSON.parse(documentOf(policy)) as { readonly nftables: readonly Readonly<Record<string, NftObject>>[] };
    for (const step of nftables)
      for (const [verb, object] of Object.entries(step)) {
        expect(['add', 'delete']).toContain(verb);
        const [{ family, table, name }] = Object.values(object) as [Readonly<Record<string, string>>];
        expect([family, 'table' in object ? name : table]).toEqual(['inet', 'enigm']);
      }
  });
});

test.each(policies)('the beacon relay stands before every rule of the mode $mode but loopback (SR-11)', (policy) => {
  const of = (chain: string) =>
    rulesOf(policy, { relay: 1005 })
      .filter(isRule)
      .filter(({ rule }) => (rule as unknown as { readonly chain: string }).chain === chain)
      .map(({ rule }) => rule.expr);
  expect(of('output')[1]).toEqual([
    { match: { op: '==', left: { meta: { key: 'skuid' } }, right: 1005 } },
    { mangle: { key: { ct: { key: 'mark' } }, value: 0x656e_6967 } },
    { accept: null },
  ]);
  expect(of('input')[1]).toEqual([{ match: { op: '==', left: { ct: { key: 'mark' } }, right: 0x656e_6967 } }, { accept: null }]);
});

test('a block is of users, for seconds', () => {
  expect(JSON.parse(blockDocumentOf(new Map([[1000, 60]])))).toEqual({
    nftables: [
      { add: { element: { family: 'inet', table: 'enigm', name: 'blocked', elem: [{ elem: { val: 1000, timeout: 60 } }] } } },
    ],
  });
});
