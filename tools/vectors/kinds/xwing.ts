import { randomBytes } from 'node:crypto';
import { xWing as xWingOver } from '#hal/crypto/xwing';
import { Fields } from '../fields.ts';
import { failed, type Kind, skipped, type Test } from '../kind.ts';
import { all, expectBytes } from '../outcomes.ts';

const random = { bytes: (count: number) => new Uint8Array(randomBytes(count)) };

/** draft-connolly-cfrg-xwing-kem, `spec/test-vectors.json`: a bare list. One vector is three tests. */
export const xWing: Kind = {
  name: 'X-Wing',
  recognises: (file) => Array.isArray(file) && file.length > 0 && file.every(isVector),
  tests: (file) =>
    (file as unknown[]).flatMap((entry, index) => {
      const vector = new Fields(entry);
      return [keyGeneration(vector), encapsulation(vector), decapsulation(vector)].map((test) => ({
        ...test,
        name: `vector ${index + 1}, ${test.name}`,
      }));
    }),
};

const isVector = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && 'seed' in value && 'eseed' in value && 'sk' in value;

const keyGeneration = (vector: Fields): Test => ({
  name: 'key generation',
  run: (backend) =>
    all(
      () => expectBytes('the decapsulation key', vector.hex('seed'), vector.hex('sk')), // §5.2: the key is the seed
      () => expectBytes('the encapsulation key', xWingOver(backend, random).publicKey(vector.hex('sk')), vector.hex('pk')),
    ),
});

const encapsulation = (vector: Fields): Test => ({
  name: 'encapsulation',
  run(backend) {
    const kem = xWingOver(backend, random);
    if (kem.encapsulateSeeded === undefined) {
      const made = kem.encapsulate(vector.hex('pk'));
      if (made === undefined) return failed('the encapsulation key was refused');
      return all(
        () => expectBytes('the secret of a round trip', kem.decapsulate(vector.hex('sk'), made.ciphertext), made.shared),
        () => skipped(`${backend.name} has no seeded encapsulation (a round trip: checked)`),
      );
    }
    const made = kem.encapsulateSeeded(vector.hex('pk'), vector.hex('eseed'));
    return all(
      () => expectBytes('the ciphertext', made?.ciphertext, vector.hex('ct')),
      () => expectBytes('the shared secret', made?.shared, vector.hex('ss')),
    );
  },
});

const decapsulation = (vector: Fields): Test => ({
  name: 'decapsulation',
  run: (backend) =>
    expectBytes(
      'the shared secret',
      xWingOver(backend, random).decapsulate(vector.hex('sk'), vector.hex('ct')),
      vector.hex('ss'),
    ),
});
