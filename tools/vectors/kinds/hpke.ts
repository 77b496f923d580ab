import { randomBytes } from 'node:crypto';
import { concat, u16be } from '#hal/core/bytes';
import { type Result, unwrap } from '#hal/core/result';
import type { CryptoBackend, Kem } from '#hal/crypto/backend';
import { dhKem } from '#hal/crypto/dhkem';
import { HpkeContext, hpkeKemIds, hpke as hpkeOver, keySchedule } from '#hal/crypto/hpke';
import { xWing } from '#hal/crypto/xwing';
import { Fields } from '../fields.ts';
import { failed, type Kind, type Outcome, skipped, type Test } from '../kind.ts';
import { all, expectBytes } from '../outcomes.ts';

const random = { bytes: (count: number) => new Uint8Array(randomBytes(count)) };

/** Vectors of RFC 9180 appendix A and of draft-ietf-hpke-pq: a bare list of setups. */
export const hpke: Kind = {
  name: 'HPKE',
  recognises: (file) => Array.isArray(file) && file.length > 0 && file.every(isSetup),
  tests: (file) => (file as unknown[]).flatMap((entry, index) => setupTests(new Fields(entry), `setup ${index + 1}`)),
};

const isSetup = (value: unknown): boolean => typeof value === 'object' && value !== null && 'kem_id' in value && 'enc' in value;

/** What this toolkit ships: KDF 0x0001, AEAD 0x0003, mode base, two KEMs. */
const unsupported = (vector: Fields): string | undefined => {
  const [mode, kem, kdf, aead] = [
    vector.integer('mode'),
    vector.integer('kem_id'),
    vector.integer('kdf_id'),
    vector.integer('aead_id'),
  ];
  const hex = (id: number): string => `0x${id.toString(16).padStart(4, '0')}`;
  if (mode !== 0) return `no HPKE mode ${mode} in these tests`;
  if (kem !== hpkeKemIds.dhkemX25519 && kem !== hpkeKemIds.mlkem768X25519) return `no KEM ${hex(kem)} in this toolkit`;
  if (kdf !== 0x0001) return `no KDF ${hex(kdf)} in this toolkit`;
  return aead === 0x0003 ? undefined : `no AEAD ${hex(aead)} in this toolkit`;
};

const setupTests = (vector: Fields, name: string): readonly Test[] => {
  const reason = unsupported(vector);
  const encryptions = vector.list('encryptions');
  const exports = vector.has('exports') ? vector.list('exports') : [];
  const tests: Test[] = [
    { name: 'encapsulation', run: (backend) => encapsulation(vector, backend) },
    { name: 'decapsulation and key schedule', run: (backend) => schedule(vector, backend) },
    ...encryptions.map((_, index) => ({
      name: `encryption ${index}`,
      run: (backend: CryptoBackend) => encryption(vector, encryptions, index, backend),
    })),
    ...exports.map((entry, index) => ({
      name: `export ${index}`,
      run: (backend: CryptoBackend) =>
        expectBytes(
          'the exported value',
          receiver(vector, backend).exportSecret(entry.hex('exporter_context'), entry.integer('L')),
          entry.hex('exported_value'),
        ),
    })),
  ];
  return tests.map((test) => ({
    name: `${name}, ${test.name}`,
    run: (backend) => (reason === undefined ? test.run(backend) : skipped(reason)),
  }));
};

const kemIdOf = (vector: Fields) =>
  vector.integer('kem_id') === hpkeKemIds.dhkemX25519 ? hpkeKemIds.dhkemX25519 : hpkeKemIds.mlkem768X25519;

const kemOf = (vector: Fields, backend: CryptoBackend): Kem =>
  kemIdOf(vector) === hpkeKemIds.dhkemX25519 ? dhKem(backend, random) : xWing(backend, random);

const receiver = (vector: Fields, backend: CryptoBackend): HpkeContext =>
  unwrap(
    hpkeOver(backend, kemIdOf(vector), kemOf(vector, backend)).receiver(
      vector.hex('enc'),
      vector.hex('skRm'),
      vector.hex('info'),
    ),
  );

/** DHKEM takes the ephemeral secret itself, 0x647a the 64 bytes that its vectors call ikmE. */
const encapsulation = (vector: Fields, backend: CryptoBackend): Outcome => {
  const kem = kemOf(vector, backend);
  const randomness = vector.has('skEm') ? vector.hex('skEm') : vector.hex('ikmE');
  const made = kem.encapsulateSeeded?.(vector.hex('pkRm'), randomness);
  if (kem.encapsulateSeeded === undefined) return skipped(`${backend.name} has no seeded encapsulation`);
  return all(
    () => expectBytes('the public key', kem.publicKey(vector.hex('skRm')), vector.hex('pkRm')),
    () => expectBytes('the encapsulation', made?.ciphertext, vector.hex('enc')),
    () => expectBytes('the shared secret', made?.shared, vector.hex('shared_secret')),
  );
};

const schedule = (vector: Fields, backend: CryptoBackend): Outcome => {
  const shared = kemOf(vector, backend).decapsulate(vector.hex('skRm'), vector.hex('enc'));
  if (shared === undefined) return failed('the encapsulation was refused');
  const kemId = kemIdOf(vector);
  const suiteId = concat(new TextEncoder().encode('HPKE'), u16be(kemId), u16be(0x0001), u16be(0x0003));
  const { key, baseNonce, exporterSecret } = keySchedule(backend, kemId, shared, vector.hex('info'));
  return all(
    () => expectBytes('the shared secret', shared, vector.hex('shared_secret')),
    () => expectBytes('the suite id', suiteId, vector.has('suite_id') ? vector.hex('suite_id') : suiteId),
    () => expectBytes('the key', key, vector.hex('key')),
    () => expectBytes('the base nonce', baseNonce, vector.hex('base_nonce')),
    () => expectBytes('the exporter secret', exporterSecret, vector.hex('exporter_secret')),
  );
};

/** The sender's and the receiver's side; earlier encryptions are made first, since the nonce counts. */
const encryption = (vector: Fields, encryptions: readonly Fields[], index: number, backend: CryptoBackend): Outcome => {
  const shared = vector.hex('shared_secret');
  const sealing = new HpkeContext(backend, kemIdOf(vector), keySchedule(backend, kemIdOf(vector), shared, vector.hex('info')));
  const opening = receiver(vector, backend);
  let sealed: Uint8Array | undefined;
  let opened: Result<Uint8Array> | undefined;
  const plaintextOf = (entry: Fields): Uint8Array => (entry.has('pt') ? entry.hex('pt') : vector.hex('pt'));
  for (const entry of encryptions.slice(0, index + 1)) {
    sealed = sealing.seal(entry.hex('aad'), plaintextOf(entry));
    opened = opening.open(entry.hex('aad'), entry.hex('ct'));
  }
  const last = encryptions[index] as Fields;
  return all(
    () => expectBytes('the ciphertext', sealed, last.hex('ct')),
    () => expectBytes('the plaintext', opened?.ok ? opened.value : undefined, plaintextOf(last)),
  );
};
