import { describe, expect, test } from 'vitest';
import { codeOf, unwrap } from '#hal/core/result';
import { nodeCrypto } from '#hal/crypto/node';
import { hybridKeyPair, hybridSignatureSuites } from '#hal/crypto/suites';
import { seededRandom } from '#hal/memory/random';
import { logTrust } from '#ota-client/transparency/log.fixture';
import { parseReleaseTrust, policiesOf, type ReleaseTrust, writeReleaseTrust } from './release-trust.ts';

const random = seededRandom('trust');
const key = () => hybridKeyPair(nodeCrypto, hybridSignatureSuites['enigm-ed25519-mldsa65'], random).publicKey;
const quorum = { threshold: 2, keys: [key(), key()] };
const trust: ReleaseTrust = { hardware: 'test-board', quorums: [quorum, { ...quorum, keys: [key(), key()] }], soakMs: 2_000 };
const refusal = (changed: Partial<ReleaseTrust>): string | undefined => {
  const parsed = parseReleaseTrust(writeReleaseTrust({ ...trust, ...changed }));
  return parsed.ok ? undefined : `${codeOf(parsed.fault)} ${parsed.fault.detail}`;
};

describe('whose releases the hands write', () => {
  test('is read as it was written: one policy for each quorum', () => {
    expect(unwrap(parseReleaseTrust(writeReleaseTrust(trust)))).toEqual(trust);
    expect(policiesOf(nodeCrypto, trust).map(({ hardware, threshold, keys }) => [hardware, threshold, keys])).toEqual(
      trust.quorums.map(({ keys }) => ['test-board', 2, keys]),
    );
  });

  test('says which quorum is that of repairs, and which log is followed', () => {
    const [os, repair] = trust.quorums;
    const followed = { ...trust, quorums: [os, { ...repair, isRepair: true }] as ReleaseTrust['quorums'], log: logTrust('warn') };
    expect(unwrap(parseReleaseTrust(writeReleaseTrust(followed)))).toEqual(followed);
    expect(policiesOf(nodeCrypto, followed).map(({ isRepair }) => isRepair)).toEqual([false, true]);
    expect(refusal({ log: { ...logTrust(), threshold: 3 } })).toMatch(/log\.witnesses/);
    expect(refusal({ log: { ...logTrust(), origin: 'Two Words' } })).toMatch(/log\.origin/);
  });

  test('is refused where one custodian would be enough, where too few are named, and with words that are not known', () => {
    expect(refusal({ quorums: [{ ...quorum, threshold: 1 }] })).toMatch(/^protocol\/config-invalid quorums\[0\]\.threshold/);
    expect(refusal({ quorums: [quorum, { ...quorum, keys: [key()] }] })).toMatch(/quorums\[1\]\.keys/);
    expect(refusal({ quorums: [] })).toMatch(/at least one/);
    expect(refusal({ hardware: 'Other Board' })).toMatch(/hardware/);
    expect(parseReleaseTrust('{"version":1,"more":1}').ok).toBe(false);
    expect(parseReleaseTrust('').ok).toBe(false);
  });
});
