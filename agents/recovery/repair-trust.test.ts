import { expect, test } from 'vitest';
import { codeOf, unwrap } from '#hal/core/result';
import { nodeCrypto } from '#hal/crypto/node';
import { hybridKeyPair, hybridSignatureSuites } from '#hal/crypto/suites';
import { seededRandom } from '#hal/memory/random';
import { parseRepairTrust, type RepairTrust, repairPolicy, writeRepairTrust } from './repair-trust.ts';

const random = seededRandom('repair trust');
const key = () => hybridKeyPair(nodeCrypto, hybridSignatureSuites['enigm-ed25519-mldsa65'], random).publicKey;
const trust: RepairTrust = { hardware: 'test-board', root: random.bytes(500), keys: [key(), key()], threshold: 2 };
const refusal = (changed: Partial<RepairTrust>): string | undefined => {
  const parsed = parseRepairTrust(writeRepairTrust({ ...trust, ...changed }));
  return parsed.ok ? undefined : `${codeOf(parsed.fault)} ${parsed.fault.detail}`;
};

test('whom recovery believes is read as it was written', () => {
  expect(unwrap(parseRepairTrust(writeRepairTrust(trust)))).toEqual(trust);
  const { keys, threshold, hardware } = trust;
  expect(repairPolicy(nodeCrypto, trust)).toEqual({ crypto: nodeCrypto, keys, threshold, hardware });
});

test('it is refused where one custodian would be enough (SR-09), where too few are named, and without a root', () => {
  expect(refusal({ threshold: 1 })).toMatch(/^protocol\/config-invalid threshold/);
  expect(refusal({ keys: [key()] })).toMatch(/^protocol\/config-invalid keys/);
  expect(refusal({ root: new Uint8Array() })).toMatch(/^protocol\/config-invalid root/);
  expect(refusal({ hardware: 'Other Board' })).toMatch(/hardware/);
  expect(parseRepairTrust('').ok).toBe(false);
});
