import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openState, type StateKeeper } from '#agents/management/state';
import { affirming } from '#agents/mind/mind.fixture';
import { trust } from '#agents/mind/trust';
import { toHex } from '#hal/core/bytes';
import { deny, ok, type Result, unwrap } from '#hal/core/result';
import { keyId } from '#hal/crypto/envelope';
import { nodeCrypto } from '#hal/crypto/node';
import { hybridKeyPair, hybridSignatureSuites } from '#hal/crypto/suites';
import { type VirtualClock, virtualClock } from '#hal/memory/clock';
import { memoryStore } from '#hal/memory/durable-store';
import { memoryLog } from '#hal/memory/log';
import { seededRandom } from '#hal/memory/random';
import type { LinkMethods } from '#hal/remote/link-methods';
import type { Client } from '#hal/remote/methods';
import type { FleetMessage } from '#protos/gen/types';
import { type FleetParts, fleetAgent } from './agent.ts';
import { fleetHpke, openUp, sealDown } from './sealed.ts';

const crypto = nodeCrypto;
const random = seededRandom('fleet');
const box = fleetHpke(crypto, random);
const commandPair = hybridKeyPair(crypto, hybridSignatureSuites['enigm-ed25519-mldsa65'], random);
const commandSeed = random.bytes(32);
const confirmationSeed = random.bytes(32);
const label = 'ab'.repeat(16);
const minuteMs = 60_000;
const dayMs = 86_400_000;

describe('the fleet agent', () => {
  let clock: VirtualClock;
  const revoked = new Set<string>();
  let log: ReturnType<typeof memoryLog>;
  let state: StateKeeper;
  let stop: AbortController;
  let ended: Promise<void> | undefined;
  let start: () => void;
  let joins: number;
  let updates: number;
  let reports: FleetMessage[];
  let obeyed: Uint8Array[];
  /** What Command and the mouth do. */
  let far: {
    membershipMs: number;
    isCommandThere: boolean;
    answers: boolean;
    isUpdateRefused: boolean;
    messages: (signal: AbortSignal) => AsyncIterable<Result<{ readonly sealed: Uint8Array }>>;
  };
  let sealingKey: Uint8Array;
  let deliver: (message: Uint8Array) => void;

  const command: FleetParts['command'] = {
    call: (async (_: string, request: { readonly sealingKey: Uint8Array }) => {
      joins += 1;
      sealingKey = request.sealingKey;
      if (!far.isCommandThere) return deny('unavailable', 'peer-unreachable');
      return ok({
        label,
        certificate: Uint8Array.of(1),
        expiresMs: affirming.issuedAtSeconds * 1000 + far.membershipMs,
      });
    }) as FleetParts['command']['call'],
  };
  const link = {
    call: async (method: string, request: { readonly sealed: Uint8Array }) => {
      if (method === 'link.identity') return ok({ linkKey: new Uint8Array(91) });
      if (method === 'link.join') return ok({});
      const message = unwrap(openUp(crypto, box, commandSeed, request.sealed, crypto.ed25519.publicKey(confirmationSeed)));
      reports.push(message);
      if (far.answers) say({ id: new Uint8Array(16), acknowledgement: { id: message.id } });
      return ok({});
    },
    subscribe: (_: string, __: object, signal: AbortSignal) => far.messages(signal),
    close: () => undefined,
  } as unknown as Client<LinkMethods>;
  const say = (message: FleetMessage) =>
    deliver(unwrap(sealDown(crypto, box, sealingKey, label, message, commandPair.secretKey)));
  const connected = async function* (signal: AbortSignal): AsyncIterable<Result<{ readonly sealed: Uint8Array }>> {
    const waiting: Uint8Array[] = [];
    let wake = () => {};
    deliver = (sealed) => {
      waiting.push(sealed);
      wake();
    };
    signal.addEventListener('abort', () => wake());
    while (!signal.aborted) {
      const sealed = waiting.shift();
      if (sealed !== undefined) yield ok({ sealed });
      else
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
    }
  };
  const lost = async function* (): AsyncIterable<Result<{ readonly sealed: Uint8Array }>> {
    yield deny('unavailable', 'program-down');
  };

  beforeEach(() => {
    clock = virtualClock();
    log = memoryLog();
    state = unwrap(openState(memoryStore()));
    state.update({ lifecycle: 'active' });
    stop = new AbortController();
    joins = 0;
    updates = 0;
    reports = [];
    obeyed = [];
    far = { membershipMs: dayMs, isCommandThere: true, answers: true, isUpdateRefused: false, messages: connected };
    const parts: FleetParts = {
      clock,
      risk: () => undefined,
      log,
      crypto,
      random,
      fleet: {
        command: { keys: [commandPair.publicKey], sealingKey: box.kem.publicKey(commandSeed) },
      } as unknown as FleetParts['fleet'],
      isRevoked: (id) => revoked.has(toHex(id)),
      link,
      command,
      attestor: { attest: async () => ok(affirming), enrol: async () => ok(affirming) },
      verifier: {
        passport: () => ({
          result: Uint8Array.of(1),
          sign: (message) => crypto.ed25519.sign(confirmationSeed, message) ?? new Uint8Array(),
        }),
      },
      manager: {
        update: async () => {
          updates += 1;
          return far.isUpdateRefused ? deny('unavailable', 'peer-unreachable') : ok(false);
        },
        updateFrom: async () => ok(false),
        states: async () => [],
      },
      orders: {
        obey: async (envelope) => {
          obeyed.push(envelope);
          state.update({ lifecycle: 'suspended' });
          return ok('suspended');
        },
      },
      state,
      trust: trust(() => clock.bootMs()),
    };
    start = () => {
      ended = fleetAgent(parts).run({}, stop.signal);
    };
  });
  afterEach(async () => {
    stop.abort();
    await ended;
  });

  test('joins once, brings the device up to date, reports once what is acknowledged', async () => {
    start();
    await clock.advance(5 * minuteMs);
    expect([joins, updates, reports.length]).toEqual([1, 1, 1]);
    await clock.advance(6 * 60 * minuteMs);
    expect([joins, updates, reports.length]).toEqual([1, 2, 1]);
  });

  test('looks at the repository when Command says that there is something new, and soon again when it cannot', async () => {
    start();
    await clock.advance(minuteMs);
    far.isUpdateRefused = true;
    say({ id: new Uint8Array(16), announcement: { kind: 'policy', version: 2 } });
    await clock.advance(minuteMs);
    expect(updates).toBe(2);
    await clock.advance(5 * minuteMs);
    expect(updates).toBe(3);
  });

  test.each<[string, () => void]>([
    ['a membership that has ended when it comes', () => Object.assign(far, { membershipMs: -1 })],
    ['a link that is lost at once', () => Object.assign(far, { messages: lost })],
  ])('%s is no storm of joins', async (_, prepare) => {
    prepare();
    start();
    await clock.advance(60 * minuteMs);
    expect(joins).toBeGreaterThan(5);
    expect(joins).toBeLessThan(25);
  });

  test('reads nothing that Command signed with a key that was revoked', async () => {
    start();
    await clock.advance(minuteMs);
    const before = updates;
    revoked.add(toHex(keyId(crypto, commandPair.publicKey)));
    say({ id: new Uint8Array(16), announcement: { kind: 'policy', version: 2 } });
    await clock.advance(10_000);
    expect(updates).toBe(before);
    expect(log.entries).toContainEqual(
      expect.objectContaining({ event: 'fleet.refused', fields: { code: 'integrity/key-revoked' } }),
    );
    revoked.clear();
  });

  test('joins anew when the broker takes everything and Command answers nothing', async () => {
    far.answers = false;
    start();
    await clock.advance(14 * minuteMs);
    expect(joins).toBe(1);
    await clock.advance(2 * minuteMs);
    expect(joins).toBe(2);
  });

  test('passes an order on, and says at once what came of it', async () => {
    start();
    await clock.advance(minuteMs);
    say({ id: new Uint8Array(16), order: { envelope: Uint8Array.of(7) } });
    await clock.advance(1_000);
    expect(obeyed).toEqual([Uint8Array.of(7)]);
    expect(reports.at(-1)?.report?.lifecycle).toBe('suspended');
  });

  test('joins while the device is suspended, so that it hears when it may go on (SR-17); out of service it does not', async () => {
    state.update({ lifecycle: 'retired' });
    start();
    await clock.advance(minuteMs);
    expect(joins).toBe(0);
    state.update({ lifecycle: 'suspended' });
    await clock.advance(minuteMs);
    expect([joins, reports.length]).toEqual([1, 1]);
  });

  test('gets its bundles when Command keeps it out', async () => {
    far.isCommandThere = false;
    start();
    await clock.advance(12 * 60 * minuteMs);
    expect(reports).toEqual([]);
    expect(updates).toBeGreaterThanOrEqual(2);
    expect(updates).toBeLessThan(4);
  });
});
