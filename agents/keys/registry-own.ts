/** Key classes whose secret halves are on this device, in its TPM, or in the Key that belongs to it. */
import { command, type KeyClassEntry, verb } from './verbs.ts';

const hybrid = 'Ed25519 and ML-DSA-65';
const derivedHere = verb(
  'device',
  'Derived in the hands by HKDF from the device secret, with a label of the class and the epoch.',
);
const sealedWithSecret = verb(
  'tpm',
  'The device secret is sealed by the TPM; the key is in memory for one operation, then wiped.',
);
const newDevice = verb(
  'technician',
  'A device that was wiped is provisioned again: another device secret, and with it every key of this kind.',
);
const withDevice = verb('verifier', 'The verifier revokes the device: its TPM cannot enrol again.');
const visit = verb('technician', 'A visit on a device that was wiped: `enigmctl provision`.');
const isIdentifier = 'its digest would be a lasting name of the machine';
const isSymmetric = 'it has no public half';

/** Keys of the memory of a program: nothing of them lasts. */
const inMemory = (program: string, when: string): Omit<KeyClassEntry, 'use' | 'algorithms'> => ({
  where: `memory of ${program}`,
  unnamed: 'it lives as long as the program or the membership it was made for',
  generation: verb('device', `Random, ${when}.`),
  protection: verb('device', `In the memory of ${program}, never written anywhere.`),
  rotation: verb('device', `By itself: ${when}.`),
  replacement: verb('device', `By itself: ${when}.`),
  revocation: verb('device', `It ends with what it was made for: ${when}.`),
});

/** One pair a class and epoch, out of the device secret. */
const derivedPair = {
  algorithms: hybrid,
  where: 'derived in the hands for one operation',
  generation: derivedHere,
  protection: sealedWithSecret,
  replacement: newDevice,
} as const;

export const ownKeys = {
  'endorsement-key': {
    use: 'opening the credential of an enrolment',
    algorithms: 'ECC P-256',
    where: 'TPM, made from its template when needed',
    unnamed: isIdentifier,
    generation: verb('tpm', 'From the seed that the maker of the TPM put into it; his certificate vouches for it.'),
    protection: verb('tpm', 'Never outside of the TPM; restricted to decryption.'),
    rotation: verb('owner', 'None: it is the identity of the TPM. Its maker gives a certificate for another one.'),
    replacement: verb('owner', 'With the TPM, that is with the board.'),
    revocation: verb('verifier', 'The verifier keeps a tombstone; a deny-list names makers and firmware.'),
  },
  'attestation-key': {
    use: 'quotes',
    algorithms: 'ECC P-256, restricted',
    where: 'TPM, persistent, endorsement hierarchy',
    generation: verb('tpm', 'At provisioning.'),
    protection: verb('tpm', 'Never outside of the TPM; signs only what the TPM itself measured.'),
    rotation: visit,
    replacement: visit,
    revocation: withDevice,
  },
  'storage-root': {
    use: 'parent of what the TPM seals and wraps',
    algorithms: 'ECC P-256',
    where: 'TPM, persistent',
    unnamed: isIdentifier,
    generation: verb('tpm', 'At provisioning, from the template.'),
    protection: verb('tpm', 'Never outside of the TPM.'),
    rotation: visit,
    replacement: visit,
    revocation: verb('owner', 'A TPM that is cleared has another one: what it sealed opens nowhere any more.'),
  },
  'device-secret': {
    use: 'everything that is derived: the classes attestation, audit, report, handle, relay-storage, audit-counter',
    algorithms: '32 random bytes',
    where: 'hands.db, sealed by the TPM',
    unnamed: isSymmetric,
    generation: verb('device', 'Random, at provisioning.'),
    protection: verb('tpm', 'Sealed under the storage root; in memory for one operation, and the bus sees it encrypted.'),
    rotation: visit,
    replacement: visit,
    revocation: withDevice,
  },
  attestation: {
    ...derivedPair,
    use: 'evidence, its post-quantum half',
    rotation: command(
      'Another epoch, then another enrolment: the TPM proves the new key to the verifier by credential activation.',
    ),
    revocation: verb('verifier', 'The verifier believes the newest enrolment of a device alone, and none of a revoked one.'),
  },
  audit: {
    ...derivedPair,
    use: 'checkpoints of the audit log',
    rotation: command('Another epoch: the old key signs the new one, and a checkpoint over a record that names it.'),
    revocation: command('An older one, on this device: no checkpoint by it is accepted. The one in use: rotate first.'),
  },
  report: {
    ...derivedPair,
    use: 'the receipt of the visit that provisioned this device',
    rotation: command('Another epoch: the old key signs the new one.'),
    revocation: command('An older one, on this device: no receipt by it is accepted. The one in use: rotate first.'),
  },
  handle: {
    use: 'one pseudonym for each relying party and epoch',
    algorithms: 'HMAC-SHA-256',
    where: 'derived in the hands for one operation',
    unnamed: isSymmetric,
    generation: derivedHere,
    protection: sealedWithSecret,
    rotation: command('Another epoch of handles: everybody knows the device by another name; sessions are opened anew.'),
    replacement: newDevice,
    revocation: verb('verifier', 'The verifier refuses a revoked device in every epoch.'),
  },
  'relay-storage': {
    use: 'sealing what the beacon relay keeps of its pairing with the Key',
    algorithms: 'ChaCha20-Poly1305, another key for each record',
    where: 'derived in the hands for one operation, memory of the relay',
    unnamed: isSymmetric,
    generation: derivedHere,
    protection: verb(
      'tpm',
      'The device secret is sealed by the TPM; the relay alone is given the key, sealed to its question, and keeps it in memory.',
    ),
    rotation: visit,
    replacement: newDevice,
    revocation: verb('technician', 'With the device secret, when the device is provisioned again: then the Key is paired again.'),
  },
  'audit-counter': {
    use: 'moving the counter that anchors the audit log',
    algorithms: 'authorization of a TPM index',
    where: 'derived in the hands for one operation',
    unnamed: isSymmetric,
    generation: derivedHere,
    protection: sealedWithSecret,
    rotation: visit,
    replacement: newDevice,
    revocation: verb('technician', 'With its index, when the device is provisioned again.'),
  },
  link: {
    use: 'signing TLS, through the filter of the hands only',
    algorithms: 'ECC P-256',
    where: 'hands.db, wrapped by the TPM',
    unnamed: 'Command and the broker know it by the certificate of the day',
    generation: verb('tpm', 'At provisioning; another with each epoch of the handle.'),
    protection: verb('tpm', 'Wrapped under the storage root; the mouth may use it and nothing else.'),
    rotation: visit,
    replacement: visit,
    revocation: verb('owner', 'Whoever believes its certificate stops to.'),
  },
  permit: {
    ...inMemory('hands and mind', 'at each start of the hands'),
    use: 'permits: that one call was decided on',
    algorithms: 'HMAC-SHA-256',
  },
  confirmation: {
    ...inMemory('the mind', 'at its start, one for each relying party'),
    use: 'proof that whoever speaks is what was attested',
    algorithms: 'Ed25519',
  },
  membership: {
    ...inMemory('the mind', 'at each joining of the fleet'),
    use: 'opening what Command sends',
    algorithms: 'X-Wing',
  },
  'broker-client': {
    ...inMemory('the mouth', 'at its start'),
    use: 'the TLS client certificate for the broker',
    algorithms: 'Ed25519',
  },
  'key-pairing': {
    use: 'the line between this device and its Enigm Key',
    algorithms: 'X25519, ML-KEM-768 and a shared secret',
    where: 'the relay of the device and the Key',
    unnamed: 'the Key shows it to whoever holds it',
    generation: verb('device', 'At the pairing, by this device and the Key together: `enigmctl beacon pair`.'),
    protection: verb(
      'tpm',
      'In the Key; and in the folder of the relay, sealed under its storage key, in clear only until this device is provisioned.',
    ),
    rotation: verb('key', 'By itself: the shared secret goes on with each session. The pairs: another pairing.'),
    replacement: verb('key', 'By another pairing.'),
    revocation: verb('key', 'The Key forgets it when both of its buttons are held, as a person does.'),
  },
} as const satisfies Record<string, KeyClassEntry>;
