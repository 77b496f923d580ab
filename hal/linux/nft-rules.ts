/**
 * A network policy as one nftables document in a table of its own (libnftables-json(5)).
 *
 * Input and forward drop what no rule accepts, in every mode; output does so in every mode but `open`. Written in the
 * form in which nft prints it back, so that what is in force can be compared with what was meant.
 *
 * The beacon relay stands before every rule, in every mode, where it has a user of its own: no policy keeps an alert in, nor
 * its answer out (SR-11). Its connections are marked, so that answers are known without knowing addresses. The mouth, where
 * it has one, is allowed wherever anybody is: an administration that lists apps does not cut the device off from itself.
 */
import { createHash } from 'node:crypto';
import { deny, done, type Result } from '#hal/core/result';
import type { NetworkPolicy } from '#protos/gen/types';

export const table = { family: 'inet', name: 'enigm' } as const;
export const counters = { in: 'dropped_in', out: 'dropped_out' } as const;

export type NftObject = Readonly<Record<string, unknown>>;
type Expression = readonly unknown[];

const inTable = { family: table.family, table: table.name };
const equal = (left: unknown, right: unknown) => ({ match: { op: '==', left, right } });
const meta = (key: string) => ({ meta: { key } });
/** By number: without /etc/protocols nft knows no names. */
const tcp = 6;
const accept = { accept: null };
const drop = { drop: null };
const loopback = (key: 'iif' | 'oif') => [equal(meta(key), 'lo'), accept];
const established = [{ match: { op: 'in', left: { ct: { key: 'state' } }, right: ['established', 'related'] } }, accept];
/** Neighbour discovery (RFC 4861): without it no IPv6 packet finds its way; the kernel sends it, so it has no user. */
const neighbours = (types: readonly string[]) => [
  equal({ payload: { protocol: 'icmpv6', field: 'type' } }, { set: types }),
  accept,
];
/** Its elements come and go, so they are no part of the digest. */
export const blocked = 'blocked';
/** "enig": on connections of the relay alone. */
const emergencyMark = 0x656e_6967;
const mark = { ct: { key: 'mark' } };
const users = (set: 'allowed' | 'denied' | typeof blocked) => equal(meta('skuid'), `@${set}`);

/** Users of the device's own programs, where they have any. */
export interface OwnUsers {
  /** Of the beacon relay. */
  readonly relay?: number;
  readonly mouth?: number;
}

/** @returns `policy/contradictory` where the policy says what cannot hold together */
export const checkPolicy = ({ mode, allowedUsers, deniedUsers, tunnel }: NetworkPolicy): Result<void> => {
  if ((mode === 'tunnel') !== (tunnel !== undefined)) return deny('policy', 'contradictory', 'a tunnel goes with its mode');
  if (tunnel !== undefined && (tunnel.port < 1 || tunnel.port > 65_535)) return deny('policy', 'contradictory', 'no such port');
  const both = allowedUsers.find((user) => deniedUsers.includes(user));
  return both === undefined ? done : deny('policy', 'contradictory', `user ${both} is allowed and denied`);
};

/** What must be in the table, in the order in which nft lists it: counters, sets, chains, rules chain by chain. */
export const rulesOf = (policy: NetworkPolicy, own: OwnUsers = {}): readonly NftObject[] => [
  { table },
  ...Object.values(counters).map((name) => ({ counter: { ...inTable, name } })),
  set('allowed', policy.allowedUsers),
  set('denied', policy.deniedUsers),
  { set: { ...inTable, name: blocked, type: 'uid', flags: ['timeout'] } },
  chain('input', 'drop'),
  chain('forward', 'drop'),
  chain('output', policy.mode === 'open' ? 'accept' : 'drop'),
  ...rules('input', [loopback('iif'), ...emergencyIn(policy, own), ...inputOf(policy)]),
  ...rules('forward', [[{ counter: counters.in }, drop]]),
  ...rules('output', [loopback('oif'), ...emergencyOut(policy, own), ...outputOf(policy, own)]),
];

/** One transaction: the old table goes and the new one comes, or neither. */
export const documentOf = (policy: NetworkPolicy, own: OwnUsers = {}): string => {
  const add = (object: NftObject) => ({ add: object });
  return JSON.stringify({ nftables: [add({ table }), { delete: { table } }, ...rulesOf(policy, own).map(add)] });
};

/** One transaction: these users are blocked for so many seconds more; the kernel ends it by itself. */
export const blockDocumentOf = (users: ReadonlyMap<number, number>): string => {
  const elem = [...users].map(([val, timeout]) => ({ elem: { val, timeout } }));
  return JSON.stringify({ nftables: [{ add: { element: { ...inTable, name: blocked, elem } } }] });
};

export const digestOf = (objects: readonly NftObject[]): Uint8Array =>
  createHash('sha256')
    .update(JSON.stringify(objects.map(sorted)))
    .digest();

const set = (name: 'allowed' | 'denied', elements: readonly number[]): NftObject => {
  const elem = [...new Set(elements)].sort((a, b) => a - b);
  return { set: { ...inTable, name, type: 'uid', ...(elem.length === 0 ? {} : { elem }) } };
};

const chain = (name: string, policy: 'accept' | 'drop'): NftObject => ({
  chain: { ...inTable, name, type: 'filter', hook: name, prio: 0, policy },
});

const rules = (chainName: string, expressions: readonly Expression[]): readonly NftObject[] =>
  expressions.map((expr) => ({ rule: { ...inTable, chain: chainName, expr } }));

const discoveryIn = neighbours(['nd-router-advert', 'nd-neighbor-solicit', 'nd-neighbor-advert']);
const discoveryOut = neighbours(['nd-router-solicit', 'nd-neighbor-solicit', 'nd-neighbor-advert']);

/** Where the mode lets nobody find his way, the relay must. */
const emergencyIn = ({ mode }: NetworkPolicy, { relay }: OwnUsers): readonly Expression[] =>
  relay === undefined ? [] : [[equal(mark, emergencyMark), accept], ...(mode === 'silent' ? [discoveryIn] : [])];

const emergencyOut = ({ mode }: NetworkPolicy, { relay }: OwnUsers): readonly Expression[] =>
  relay === undefined
    ? []
    : [
        [equal(meta('skuid'), relay), { mangle: { key: mark, value: emergencyMark } }, accept],
        ...(mode === 'silent' ? [discoveryOut] : []),
      ];

const inputOf = ({ mode }: NetworkPolicy): readonly Expression[] => [
  ...(mode === 'silent' ? [] : [established, discoveryIn]),
  [{ counter: counters.in }, drop],
];

const outputOf = ({ mode, tunnel }: NetworkPolicy, { mouth }: OwnUsers): readonly Expression[] => {
  const refused: readonly Expression[] = [
    // A reset tells a program at once; silence would cost it a timeout. Nothing leaves the device for it.
    [equal(meta('l4proto'), tcp), { counter: counters.out }, { reject: { type: 'tcp reset' } }],
    [{ counter: counters.out }, drop],
  ];
  const denied: readonly Expression[] = [
    [users(blocked), { counter: counters.out }, drop],
    [users('denied'), { counter: counters.out }, drop],
  ];
  if (mode === 'silent') return refused;
  if (mode === 'open') return denied;
  const allowed = [users('allowed'), ...(mouth === undefined ? [] : [equal(meta('skuid'), mouth)])];
  if (tunnel === undefined) return [...denied, discoveryOut, ...allowed.map((user) => [user, accept]), ...refused];
  return [
    ...denied,
    discoveryOut,
    [equal(meta('skuid'), tunnel.user), equal({ payload: { protocol: 'udp', field: 'dport' } }, tunnel.port), accept],
    ...allowed.map((user) => [equal(meta('oifname'), tunnel.interface), user, accept]),
    ...refused,
  ];
};

/** Keys in one order, so that equal rules have equal text. */
const sorted = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, inner]) => [key, sorted(inner)]),
  );
};
