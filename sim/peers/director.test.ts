import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { rolloutDigest } from '#agents/update/asking';
import { unwrap } from '#hal/core/result';
import { ask, code, deviceNonce, eligible, type ReleaseSite, releaseSite } from './releases.fixture.ts';

let site: ReleaseSite;
beforeEach(async () => {
  site = await releaseSite();
  const release = unwrap(await site.releases.build({ id: 'release-2', counter: 2 }));
  site.makeLive(release);
  unwrap(await site.releases.publish(release));
});
afterEach(() => site.dispose());

/** The target that a device makes of it, or the code of whoever refused first. */
const named = async (asking: Parameters<typeof ask>[1] = {}, device: Parameters<typeof eligible>[2] = {}) => {
  const answer = await ask(site, asking);
  if (!answer.ok) return code(answer);
  const found = await eligible(site, answer.value, device);
  return found.ok ? found.value?.target.path : code(found);
};

describe('the director', () => {
  test('names the release, and the device finds it in both repositories', async () => {
    expect(await named()).toBe('os/release-2');
    expect(site.director.answered).toEqual([{ handle: '01'.repeat(16), offered: ['os/release-2'] }]);
  });

  test('says nothing to a device that has it, and to other hardware', async () => {
    expect(await named({ counter: 2 }, { counter: 2 })).toBeUndefined();
    expect(await named({ hardware: 'board-7' })).toBeUndefined();
  });

  test.each([
    ['a result that does not affirm', { says: { status: 'contraindicated' } }, 'attestation/not-affirming'],
    ['a result for another relying party', { says: { relyingParty: 'command' } }, 'attestation/result-audience'],
    ['a result of another verifier', { says: { verifier: 'somebody' } }, 'attestation/result-audience'],
    ['a question that another key signed', { confirmationSecret: new Uint8Array(32) }, 'integrity/signature-invalid'],
    ['a question about another appraisal', { nonce: new Uint8Array(32) }, 'attestation/nonce-mismatch'],
  ] as const)('refuses %s', async (_, asking, expected) => {
    expect(await named(asking)).toBe(expected);
  });

  test('SR-22: refuses a result that is older than ten minutes, or that a stranger signed', async () => {
    const nowSeconds = Math.floor(site.clock.nowMs() / 1000);
    expect(await named({ says: { issuedAtSeconds: nowSeconds - 601, expiresAtSeconds: nowSeconds + 600 } })).toBe(
      'attestation/stale',
    );
    expect(await named({ says: { expiresAtSeconds: nowSeconds } })).toBe('attestation/stale');
    const answer = await site.director.targets({
      result: new Uint8Array(100),
      question: new Uint8Array(1),
      signature: new Uint8Array(64),
    });
    expect(code(answer)).toBe('attestation/result-signature');
  });

  test('its answer is worth nothing to another device: the nonce is another', async () => {
    expect(await named({}, { nonce: new Uint8Array(32) })).toBe('integrity/director-nonce');
    expect(await named({}, { nonce: deviceNonce })).toBe('os/release-2');
  });
});

describe('SR-21: the rollout', () => {
  const ids = { releaseIds: ['release-2'] };

  test('at nought reaches nobody; at a thousand everybody, with buckets or without', async () => {
    unwrap(await site.releases.roll('release-2', 0));
    expect(await named(ids)).toBeUndefined();
    unwrap(await site.releases.roll('release-2', 1000));
    expect(await named(ids)).toBe('os/release-2');
    expect(await named()).toBe('os/release-2');
  });

  test('reaches about the share that was asked for', async () => {
    unwrap(await site.releases.roll('release-2', 500));
    let reached = 0;
    for (let device = 0; device < 40; device += 1) {
      const says = { handle: new Uint8Array(16).fill(device + 2) };
      const answer = await ask(site, { ...ids, says, handleKey: new Uint8Array(16).fill(device) });
      unwrap(answer);
      reached += site.director.answered.at(-1)?.offered.length ?? 0;
    }
    expect(reached).toBeGreaterThan(8);
    expect(reached).toBeLessThan(32);
  });

  test('counts only buckets to which the evidence committed', async () => {
    const other = rolloutDigest({ places: [{ release: 'release-2', bucket: 0 }] });
    expect(await named({ ...ids, committed: other })).toBe('attestation/binding-mismatch');
    expect(await named({ committed: other })).toBe('attestation/binding-mismatch');
  });

  test('who asks again with another bucket keeps the first', async () => {
    unwrap(await site.releases.roll('release-2', 500));
    const keyed = (fill: number) => ({ ...ids, handleKey: new Uint8Array(16).fill(fill) });
    const first = await named(keyed(0));
    for (let fill = 1; fill < 12; fill += 1) expect(await named(keyed(fill))).toBe(first);
  });
});
