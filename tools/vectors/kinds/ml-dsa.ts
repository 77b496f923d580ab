/** The three kinds of ML-DSA file: verification, signing from a seed, signing from an expanded key. */
import type { CryptoBackend, SignatureScheme } from '#hal/crypto/backend';
import type { Fields } from '../fields.ts';
import { failed, type Kind, type Outcome, passed, skipped } from '../kind.ts';
import { all, expectBytes, expectRefusal, isValid } from '../outcomes.ts';
import { wycheproof } from '../wycheproof.ts';

const schemes = { 'ML-DSA-44': 'mlDsa44', 'ML-DSA-65': 'mlDsa65', 'ML-DSA-87': 'mlDsa87' } as const;
const algorithms = Object.keys(schemes) as (keyof typeof schemes)[];

const mlDsa = (
  name: string,
  schema: string,
  run: (test: Fields, group: Fields, scheme: SignatureScheme, backend: CryptoBackend) => Outcome,
): readonly Kind[] =>
  algorithms.map((algorithm) =>
    wycheproof({
      name: `${algorithm} ${name}`,
      algorithms: [algorithm],
      schema,
      run: (test, group, backend) => run(test, group, backend[schemes[algorithm]], backend),
    }),
  );

export const mlDsaVerification = mlDsa('verification', 'mldsa_verify_schema', (test, group, scheme) => {
  if (!test.has('msg')) return skipped('verification takes the message, not its representative μ');
  const verifies = scheme.verify(group.hex('publicKey'), test.hex('msg'), test.hex('sig'), test.optionalHex('ctx'));
  if (verifies === isValid(test)) return passed;
  return failed(verifies ? 'an invalid signature was accepted' : 'a valid signature was refused');
});

/**
 * A valid test gives the same signature bytes. Where it cannot (no deterministic signing; a random value that the file
 * does not give), it is skipped, but only after the key pair and the expected signature were found good.
 */
export const mlDsaSigning = mlDsa('signing from a seed', 'mldsa_sign_seed_schema', (test, group, scheme, backend) => {
  const seed = group.hex('privateSeed');
  const { signDeterministic, signRepresentative } = scheme;
  if (!isValid(test))
    return expectRefusal('a seed or context of a wrong size', () =>
      (signDeterministic ?? scheme.sign)(seed, test.hex('msg'), test.optionalHex('ctx')),
    );
  const hasMessage = test.has('msg');
  return all(
    () => expectBytes('the public key', scheme.publicKey(seed), group.hex('publicKey')),
    () =>
      hasMessage && !scheme.verify(group.hex('publicKey'), test.hex('msg'), test.hex('sig'), test.optionalHex('ctx'))
        ? failed('the expected signature does not verify')
        : passed,
    () => {
      const checked = hasMessage ? 'keys and signature: checked' : 'no message but μ; keys: checked';
      if (test.texts('flags').includes('Randomized'))
        return skipped(`the file does not give the random value of a hedged signature (${checked})`);
      if (signDeterministic === undefined || signRepresentative === undefined)
        return skipped(`${backend.name} has no deterministic ML-DSA signing (${checked})`);
      const signature = hasMessage
        ? signDeterministic(seed, test.hex('msg'), test.optionalHex('ctx'))
        : signRepresentative(seed, test.hex('mu'));
      return expectBytes('the signature', signature, test.hex('sig'));
    },
  );
});

export const mlDsaExpandedSigning = mlDsa('signing from an expanded key', 'mldsa_sign_noseed_schema', () =>
  skipped('keys are seeds here, never expanded private keys'),
);
