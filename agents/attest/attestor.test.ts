import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { askedBurst } from '#agents/audit/admission';
import { recordsOf } from '#agents/audit/audit.fixture';
import { startTestMind, type TestMind, type TestMindOptions } from '#agents/mind/mind.fixture';
import { ownParty } from '#agents/mind/trust';
import { toHex } from '#hal/core/bytes';
import { codeOf, type Result, unwrap } from '#hal/core/result';
import { seededRandom } from '#hal/memory/random';
import { type Attestor, attestor } from './attestor.ts';
import { deviceId, lifeSeconds, type TestVerifier, testVerifier, trustedVerifier } from './verifier.fixture.ts';
import { type VerifierLink, verifierLink } from './verifier-link.ts';

const refused = { category: 'attestation', reason: 'endorsement-revoked' } as const;
const unreachable = { category: 'unavailable', reason: 'peer-unreachable' } as const;

describe('the attestor', () => {
  let mind: TestMind;
  let verifier: TestVerifier;
  let door: Attestor;
  const start = async (options: TestMindOptions = {}) => {
    mind = await startTestMind(options);
    verifier = testVerifier(() => Math.floor(mind.clock.nowMs() / 1000));
    open();
  };
  const open = (replaced?: Partial<VerifierLink>) => {
    const link = verifierLink({
      client: verifier.client,
      collector: mind.hands,
      crypto: mind.crypto,
      random: seededRandom('attestor'),
      verifier: trustedVerifier,
    });
    door = attestor({ ...mind, verifier: { ...link, ...replaced } });
  };
  beforeEach(() => start());
  afterEach(() => mind[Symbol.asyncDispose]());

  const outcome = (result: Result<{ readonly status: string }>) => (result.ok ? result.value.status : codeOf(result.fault));
  const fresh = (): void => {
    mind.state.update({ lifecycle: 'unenrolled' }, ['device']);
  };
  const life = () => mind.state.current().lifecycle;
  const told = () =>
    recordsOf(mind.audit).map(({ event, outcome: came, action, resource, code }) =>
      [event, action, resource, came, code].filter((word) => word !== undefined).join(' '),
    );

  test('enrols, then attests for our own relying party, and writes down each step', async () => {
    fresh();
    expect(outcome(await door.enrol())).toBe('affirming');
    expect(life()).toBe('active');
    expect(toHex(mind.state.current().device ?? new Uint8Array())).toBe(toHex(deviceId));
    expect(mind.trust.result(ownParty)?.result.status).toBe('affirming');
    expect(told()).toEqual([
      'lifecycle.changed enrol enrolling done',
      'lifecycle.changed enrolled active done',
      'lifecycle.enrolled done',
      'attest.result allowed',
      'verify.result allowed',
    ]);
  });

  test.each([
    ['refuses', refused],
    ['cannot be asked', unreachable],
  ])('leads back to unenrolled, and records why, when the verifier %s', async (_, fault) => {
    fresh();
    verifier.refuses['enrol.finish'] = [fault];
    expect(outcome(await door.enrol())).toBe(codeOf(fault));
    expect(mind.state.current()).toMatchObject({ lifecycle: 'unenrolled' });
    expect(mind.state.current().device).toBeUndefined();
    expect(mind.trust.attestationFault()).toMatchObject(fault);
    expect(told()).toEqual([
      'lifecycle.changed enrol enrolling done',
      'lifecycle.changed refused unenrolled done',
      `lifecycle.enrolled denied ${codeOf(fault)}`,
    ]);
    expect(outcome(await door.enrol())).toBe('affirming');
    expect(life()).toBe('active');
  });

  test('leads back to unenrolled when the result is not for us', async () => {
    fresh();
    verifier.says = { handle: new Uint8Array(16).fill(9) };
    expect(outcome(await door.enrol())).toBe('attestation/result-audience');
    expect(life()).toBe('unenrolled');
  });

  test('enrols again where the power was cut in the middle', async () => {
    mind.state.update({ lifecycle: 'enrolling' }, ['device']);
    expect(outcome(await door.enrol())).toBe('affirming');
    expect(life()).toBe('active');
  });

  test.each(['active', 'suspended', 'revoked', 'retired', 'replaced', 'wiped'] as const)(
    'does not enrol a device that is %s: the verifier is not even asked',
    async (lifecycle) => {
      mind.state.update({ lifecycle });
      verifier.refuses['enrol.begin'] = [refused];
      expect(outcome(await door.enrol())).toBe('protocol/event-refused');
      expect(life()).toBe(lifecycle);
      expect(verifier.refuses['enrol.begin'].length).toBe(1);
      expect(told()).toEqual([]);
    },
  );

  describe('where the verifier has forgotten an active device (SR-17)', () => {
    const forgotten = { category: 'attestation', reason: 'enrolment-unknown' } as const;
    const oldName = new Uint8Array(16).fill(0xd0);
    beforeEach(async () => {
      verifier.refuses['attest.begin'] = [forgotten];
      expect(outcome(await door.attest(ownParty))).toBe(codeOf(forgotten));
    });
    const name = () => toHex(mind.state.current().device ?? new Uint8Array());

    test('enrols it again, under a new name and with the log that it has', async () => {
      const before = mind.audit.status().size;
      expect(outcome(await door.enrol())).toBe('affirming');
      expect([life(), name()]).toEqual(['active', toHex(deviceId)]);
      expect(mind.trust.attestationFault()).toBeUndefined();
      expect(told().slice(before)).toEqual([
        'lifecycle.changed enrolled active done',
        'lifecycle.enrolled done',
        'attest.result allowed',
        'verify.result allowed',
      ]);
    });

    test.each([
      ['refuses', refused],
      ['cannot be asked', unreachable],
    ])('leaves it as it was when it then %s', async (_, fault) => {
      verifier.refuses['enrol.finish'] = [fault];
      expect(outcome(await door.enrol())).toBe(codeOf(fault));
      expect([life(), name()]).toEqual(['active', toHex(oldName)]);
      expect(told().at(-1)).toBe(`lifecycle.enrolled denied ${codeOf(fault)}`);
    });

    test.each(['suspended', 'revoked', 'retired', 'replaced', 'wiped'] as const)(
      'does not bring back one that is %s',
      async (lifecycle) => {
        mind.state.update({ lifecycle });
        expect(outcome(await door.enrol())).toBe('protocol/event-refused');
        expect(life()).toBe(lifecycle);
      },
    );
  });

  test('attests nothing for a device that is not enrolled', async () => {
    fresh();
    expect(outcome(await door.attest('account'))).toBe('attestation/missing');
  });

  test.each<[string, object]>([
    ['of another verifier', { verifier: 'another' }],
    ['of another boot', { bootId: new Uint8Array(16).fill(9) }],
    ['for another handle', { handle: new Uint8Array(16).fill(9) }],
  ])('holds no result %s, and ends what was held before', async (_, says) => {
    await door.attest(ownParty);
    const held = mind.trust.result(ownParty);
    verifier.says = says;
    expect(outcome(await door.attest(ownParty))).toBe('attestation/result-audience');
    expect(mind.trust.result(ownParty)).toBe(held);
    expect(mind.trust.attestationFault()).toMatchObject({ reason: 'result-audience' });
    expect(told().at(-1)).toBe('attest.result denied attestation/result-audience');
  });

  test('counts what the verifier refuses another relying party for nothing here', async () => {
    await door.attest(ownParty);
    verifier.refuses['attest.begin'] = [refused];
    expect(outcome(await door.attest('command'))).toBe(codeOf(refused));
    expect(mind.trust.attestationFault()).toBeUndefined();
  });

  test('records bad news that was signed as a denial, and holds it', async () => {
    verifier.says = { status: 'contraindicated' };
    expect(outcome(await door.attest(ownParty))).toBe('contraindicated');
    expect(told()).toEqual(['attest.result denied', 'verify.result allowed']);
    expect(mind.trust.result(ownParty)?.result.status).toBe('contraindicated');
  });

  test('takes the time that the verifier signed, which answers our nonce (SR-16)', async () => {
    mind.clock.jumpWall(10 * 86_400_000);
    verifier.says = { issuedAtSeconds: 1_780_000_000, expiresAtSeconds: 1_780_000_000 + lifeSeconds };
    await door.attest(ownParty);
    expect(mind.time.nowMs()).toBe(1_780_000_000_000);
  });

  test('takes no time from a result that it refuses', async () => {
    verifier.says = { deviceNonce: new Uint8Array(32) };
    await door.attest(ownParty);
    expect(mind.time.nowMs()).toBeUndefined();
  });

  test('counts what an app asked for against the app, never against the device itself (SR-14)', async () => {
    for (let count = 0; count < askedBurst; count += 1)
      unwrap(await mind.audit.record({ event: 'authz.decision', outcome: 'allowed', source: 'api' }));
    const before = mind.audit.status().size;
    expect(outcome(await door.attest('account', undefined, 'api'))).toBe('affirming');
    expect(mind.audit.status().size).toBe(before);
    expect(outcome(await door.attest('account'))).toBe('affirming');
    expect(told().slice(before)).toEqual(['attest.result allowed', 'verify.result allowed']);
  });

  test('gives up a verifier that does not answer, and is told to stop', async () => {
    let aborted = false;
    let isAsked = false;
    open({
      attest: (_, __, signal) =>
        new Promise(() => {
          isAsked = true;
          signal.addEventListener('abort', () => {
            aborted = true;
          });
        }),
    });
    const asked = door.attest(ownParty);
    await expect.poll(() => isAsked).toBe(true);
    await mind.clock.advance(30_000);
    expect(outcome(await asked)).toBe('resource/time-limit');
    expect(aborted).toBe(true);
  });

  test('gives up an enrolment that is not answered: the device can try again', async () => {
    fresh();
    open({ enrol: () => new Promise(() => undefined) });
    const asked = door.enrol();
    await expect.poll(() => life()).toBe('enrolling');
    await mind.clock.advance(30_000);
    expect(outcome(await asked)).toBe('resource/time-limit');
    expect(life()).toBe('unenrolled');
  });

  test('enrols once, however many ask at the same time', async () => {
    fresh();
    const asked = await Promise.all([door.enrol(), door.enrol()]);
    expect(asked.map(outcome)).toEqual(['affirming', 'affirming']);
    expect(verifier.evidence.length).toBe(2);
    expect(life()).toBe('active');
    expect(outcome(await door.enrol())).toBe('protocol/event-refused');
  });

  test('goes on when the audit log takes no record (SR-14)', async () => {
    await mind[Symbol.asyncDispose]();
    await start({ audit: { capacity: { records: 0, reserved: 0 } } });
    fresh();
    expect(outcome(await door.enrol())).toBe('affirming');
    expect(life()).toBe('active');
  });
});
