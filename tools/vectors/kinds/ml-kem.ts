/** The three kinds of ML-KEM file. Keys are seeds d‖z here, so the expanded decapsulation key is never seen. */
import type { CryptoBackend, Kem } from '#hal/crypto/backend';
import type { Fields } from '../fields.ts';
import { failed, type Kind, type Outcome, skipped } from '../kind.ts';
import { all, expectBytes, expectRefusal, isValid } from '../outcomes.ts';
import { wycheproof } from '../wycheproof.ts';

const mlKem = (name: string, schema: string, run: (test: Fields, kem: Kem, backend: CryptoBackend) => Outcome): Kind =>
  wycheproof({
    name,
    algorithms: ['ML-KEM'],
    schema,
    run(test, group, backend) {
      const parameters = group.text('parameterSet');
      return parameters === 'ML-KEM-768' ? run(test, backend.mlKem768, backend) : skipped(`no ${parameters} in this toolkit`);
    },
  });

/** Key generation and decapsulation, implicit rejection included (FIPS 203 §6.3). */
export const mlKemDecapsulation = mlKem('ML-KEM decapsulation', 'mlkem_test_schema', (test, kem) => {
  const decapsulate = () => kem.decapsulate(test.hex('seed'), test.hex('c'));
  if (!isValid(test)) return expectRefusal('a seed or ciphertext of a wrong size', decapsulate);
  return all(
    () => expectBytes('the encapsulation key', kem.publicKey(test.hex('seed')), test.hex('ek')),
    () => expectBytes('the shared secret', decapsulate(), test.hex('K')),
  );
});

/** Where the randomness cannot be given, the key of a valid test must at least be taken. */
export const mlKemEncapsulation = mlKem('ML-KEM encapsulation', 'mlkem_encaps_test_schema', (test, kem, backend) => {
  const publicKey = test.hex('ek');
  if (!isValid(test)) return expectRefusal('a key that fails FIPS 203 §7.2', () => kem.encapsulate(publicKey));
  if (kem.encapsulateSeeded === undefined)
    return kem.encapsulate(publicKey) === undefined
      ? failed('the encapsulation key was refused')
      : skipped(`${backend.name} has no seeded encapsulation (the key is taken: checked)`);
  const made = kem.encapsulateSeeded(publicKey, test.hex('m'));
  return all(
    () => expectBytes('the ciphertext', made?.ciphertext, test.hex('c')),
    () => expectBytes('the shared secret', made?.shared, test.hex('K')),
  );
});

/** The encapsulation key must be that of the file; the unseen decapsulation key must open what is sealed to it. */
export const mlKemKeyGeneration = mlKem('ML-KEM key generation', 'mlkem_keygen_seed_test_schema', (test, kem) => {
  if (!isValid(test)) return expectRefusal('a seed of a wrong size', () => kem.publicKey(test.hex('seed')));
  return all(
    () => expectBytes('the encapsulation key', kem.publicKey(test.hex('seed')), test.hex('ek')),
    () => {
      const made = kem.encapsulate(test.hex('ek'));
      if (made === undefined) return failed('the encapsulation key was refused');
      return expectBytes('the secret of a round trip', kem.decapsulate(test.hex('seed'), made.ciphertext), made.shared);
    },
  );
});
