import { createHash } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { recordsOf } from '#agents/audit/audit.fixture';
import { authorizer } from '#agents/mind/authorizer';
import { startTestMind, type TestMind, type TestMindOptions } from '#agents/mind/mind.fixture';
import { identityKeys } from '#agents/session/issuer.fixture';
import { toHex } from '#hal/core/bytes';
import { encodeMessage } from '#hal/core/message';
import { codeOf, unwrap } from '#hal/core/result';
import { type EnvelopeHeader, keyId, sealEnvelope } from '#hal/crypto/envelope';
import { nodeCrypto } from '#hal/crypto/node';
import { hybridKeyPair, hybridSignatureSuites } from '#hal/crypto/suites';
import { seededRandom } from '#hal/memory/random';
import type { LifecycleOrder, Posture } from '#protos/gen/types';
import type { Lifecycle } from './lifecycle.ts';
import { orderHeader } from './order.ts';
import { type OrderIntake, orderIntake } from './order-intake.ts';

const random = seededRandom('administrators');
const [first, second, third] = [0, 1, 2].map(() =>
  hybridKeyPair(nodeCrypto, hybridSignatureSuites['enigm-ed25519-mldsa65'], random),
) as [Pair, Pair, Pair];
type Pair = ReturnType<typeof hybridKeyPair>;
const handle = new Uint8Array(16).fill(0x1d);
const posture: Posture = { level: 'none', headline: 'at-risk', lifecycle: 'active', measuredMs: 0, findings: [] };

describe('orders of an administration', () => {
  let mind: TestMind;
  let orders: OrderIntake;
  const revoked = new Set<string>();

  const start = async (options: TestMindOptions = {}) => {
    mind = await startTestMind(options);
    const { trust, clock } = mind;
    const refresh = async () => {
      trust.holdPosture(posture, { value: false, measuredBootMs: clock.bootMs() }, trust.changes());
      return posture;
    };
    orders = orderIntake({
      ...mind,
      authorizer: authorizer(mind, { refresh }),
      keys: [first.publicKey, second.publicKey, third.publicKey],
      isRevoked: (id) => revoked.has(toHex(id)),
      handle,
    });
  };
  beforeEach(() => start());
  afterEach(async () => {
    revoked.clear();
    await mind[Symbol.asyncDispose]();
  });

  const order = (changed: Partial<LifecycleOrder> = {}, signers = [first, second], header: EnvelopeHeader = orderHeader) =>
    sealEnvelope(
      nodeCrypto,
      header,
      encodeMessage('LifecycleOrder', { handle, state: 'suspended', counter: 1, ...changed }),
      signers.map(({ secretKey }) => secretKey),
    );
  const obey = async (envelope: Uint8Array) => {
    const obeyed = await orders.obey(envelope, 'api');
    return obeyed.ok ? obeyed.value : codeOf(obeyed.fault);
  };
  const lifecycle = () => mind.state.current().lifecycle;
  const records = () =>
    recordsOf(mind.audit).map(({ event, action, outcome }) => [event, action, outcome].filter(Boolean).join(' '));

  test('suspend a device in a bad state, and let it go on; each leaves a record with all six fields', async () => {
    const suspending = order();
    expect(await obey(suspending)).toBe('suspended');
    expect(await obey(order({ counter: 2, state: 'active' }))).toBe('active');
    expect(records()).toEqual([
      'verify.order done',
      'authz.decision change-lifecycle allowed',
      'lifecycle.changed suspend done',
      'admin.lifecycle suspend done',
      'verify.order done',
      'authz.decision change-lifecycle allowed',
      'lifecycle.changed resume done',
      'admin.lifecycle resume done',
    ]);
    expect(recordsOf(mind.audit)[3]).toMatchObject({
      category: 'administration',
      actor: keyId(nodeCrypto, first.publicKey).slice(0, 16),
      action: 'suspend',
      resource: 'device',
      outcome: 'done',
      changeReference: new Uint8Array(createHash('sha256').update(suspending).digest()),
      timeMs: expect.any(Number),
    });
  });

  test('may come again and change nothing; an older one, or another of the same count, is refused', async () => {
    await obey(order());
    expect(await obey(order())).toBe('suspended');
    expect(await obey(order({ state: 'active' }))).toBe('authorization/order-replayed');
    expect(await obey(order({ counter: 5, state: 'active' }))).toBe('active');
    expect(await obey(order())).toBe('authorization/order-replayed');
    expect(await obey(order({ counter: 5 }))).toBe('authorization/order-replayed');
    expect(await obey(order({ counter: 6, state: 'active' }))).toBe('active');
    expect(await obey(order({ counter: 5, state: 'active' }))).toBe('authorization/order-replayed');
    expect(records().filter((line) => line.startsWith('admin.'))).toHaveLength(2);
  });

  test.each<[string, () => Uint8Array, string]>([
    ['of one person alone (SR-19)', () => order({}, [first]), 'integrity/signature-missing'],
    ['that one person signed twice', () => order({}, [first, first]), 'integrity/signature-missing'],
    ['signed by a key of another class (SR-03)', () => order({}, [first, identityKeys]), 'integrity/signature-missing'],
    ['of another type', () => order({}, [first, second], { ...orderHeader, payloadType: 'other' }), 'integrity/payload-type'],
    ['for another audience', () => order({}, [first, second], { ...orderHeader, audience: 'x' }), 'integrity/audience-mismatch'],
    ['for another device', () => order({ handle: new Uint8Array(16) }), 'handle/order-of-another-device'],
    ['that is no order', () => new Uint8Array(64), 'protocol/malformed'],
  ])('are refused: one %s', async (_, made, code) => {
    expect(await obey(made())).toBe(code);
    expect(lifecycle()).toBe('active');
    expect(recordsOf(mind.audit)).toMatchObject([{ event: 'verify.order', outcome: 'denied', code }]);
  });

  test('do not count with a key that was revoked', async () => {
    revoked.add(toHex(keyId(nodeCrypto, second.publicKey)));
    expect(await obey(order())).toMatch(/^integrity\//);
    expect(await obey(order({}, [first, third]))).toBe('suspended');
  });

  test.each<Lifecycle>(['unenrolled', 'enrolling', 'replaced', 'revoked', 'retired', 'wiped'])(
    'change nothing of a device that is %s',
    async (from) => {
      unwrap(mind.state.update({ lifecycle: from }));
      expect(await obey(order())).toMatch(/^(protocol\/event-refused|posture\/lifecycle-state)$/);
      expect(lifecycle()).toBe(from);
      expect(records().at(-1)).toMatch(/^admin\.lifecycle suspend (failed|denied)$/);
    },
  );

  test('are obeyed when the audit log takes no record (SR-14)', async () => {
    await mind[Symbol.asyncDispose]();
    await start({ audit: { capacity: { records: 0, reserved: 0 } } });
    expect(await obey(order())).toBe('suspended');
  });
});
