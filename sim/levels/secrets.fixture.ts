/**
 * For tests: every lasting secret of the hands, as their TPM gives it up to a second one with the same state, and those
 * of the relay under them; and where bytes of it lie: in files, or in the memory of a program that runs.
 */

import { closeSync, cpSync, openSync, readdirSync, readFileSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { handsFiles } from '#agents/hands/files';
import { storedEpochs } from '#agents/hands/key-ledger';
import { deviceLayout } from '#agents/programs/layout';
import { decodeValue } from '#firmware-key/core/records';
import { pairingRecord } from '#firmware-key/host/host-side';
import { concat, toBase64, toHex, utf8 } from '#hal/core/bytes';
import { unwrap } from '#hal/core/result';
import { nodeCrypto as crypto } from '#hal/crypto/node';
import { openRecord } from '#hal/crypto/sealed-record';
import { linuxClock } from '#hal/linux/clock';
import { openDurableStore } from '#hal/linux/durable-store';
import { derive, labelOf, relayStorageLabel } from '#hal/native/device-keys';
import { unsealSecret } from '#hal/native/device-secret';
import { openSimulatedEsys } from '#hal/native/esys-sim';
import { counterAuth } from '#hal/native/tpm';
import { simulatedLayout } from '#sim/machine/layout';
import { startSwtpm } from '#sim/machine/swtpm';

export type Secrets = ReadonlyMap<string, Uint8Array>;

/**
 * @param directory of a device that is off, with a swtpm
 * @param scratch where a copy of it may lie
 */
export const secretsOf = async (directory: string, scratch: string, addon: string): Promise<Secrets> => {
  const copy = join(scratch, 'tpm');
  cpSync(simulatedLayout(directory).tpm, copy, { recursive: true });
  cpSync(deviceLayout(directory).hands, join(scratch, 'hands'), { recursive: true });
  await using tpm = unwrap(
    await startSwtpm({ stateDirectory: copy, socketDirectory: join(scratch, 'run'), clock: linuxClock() }),
  );
  await using esys = unwrap(await openSimulatedEsys({ addon, swtpm: { path: tpm.commandPath } }));
  await esys.startup(0);
  const store = unwrap(openDurableStore(join(scratch, 'hands', 'hands.db')));
  const { secret } = unwrap(await unsealSecret(esys, unwrap(handsFiles(store).sealedSecret())));
  const epochOf = storedEpochs(store);
  const secrets = new Map<string, Uint8Array>([
    ['device secret', secret],
    ['pseudorandom key of the derivation', crypto.hmac(utf8('enigm-device-key-1'), secret)],
    ['handle key', derive(crypto, secret, 'handle')],
    ['authorization of the counter', counterAuth(crypto, secret)],
  ]);
  for (const keyClass of ['attestation', 'audit', 'report'] as const)
    for (let epoch = 1; epoch <= unwrap(epochOf(keyClass)); epoch += 1)
      for (const algorithm of ['ed25519', 'ml-dsa-65'] as const) {
        const seed = derive(crypto, secret, labelOf(keyClass, algorithm, epoch));
        secrets.set(`${keyClass} ${epoch} ${algorithm}`, seed);
        secrets.set(`${keyClass} ${epoch} ${algorithm}, expanded`, expanded[algorithm](seed));
      }
  store.close();
  for (const [name, value] of relaySecretsOf(directory, scratch, secret)) secrets.set(name, value);
  return secrets;
};

/** The key of what the relay keeps, and everything secret that it keeps under it. */
const relaySecretsOf = (directory: string, scratch: string, deviceSecret: Uint8Array): Secrets => {
  cpSync(deviceLayout(directory).beacon, join(scratch, 'beacon'), { recursive: true });
  const store = unwrap(openDurableStore(join(scratch, 'beacon', 'beacon.db')));
  const record = unwrap(store.get(pairingRecord));
  store.close();
  const key = derive(crypto, deviceSecret, relayStorageLabel);
  const opened = record && openRecord(crypto, key, pairingRecord, record);
  if (opened === undefined) throw new Error('the relay keeps no pairing that opens');
  return new Map([['relay: storage key', key], ...pairingSecrets(opened)]);
};

/** @param opened a pairing as the relay keeps it where it keeps it in clear */
export const pairingSecrets = (opened: Uint8Array): Secrets => {
  const { staticSecret, advertisingKey, psks } = decodeValue(Buffer.from(opened).toString('latin1')) as {
    readonly staticSecret: Uint8Array;
    readonly advertisingKey: Uint8Array;
    readonly psks: readonly Uint8Array[];
  };
  return new Map([
    ['relay: static secret', staticSecret],
    ['relay: advertising key', advertisingKey],
    ...psks.map((psk, index) => [`relay: shared secret ${index}`, psk] as const),
  ]);
};

/** What the algorithms work with: half of SHA-512 (RFC 8032 §5.1.5), and K of the private key (FIPS 204 §6.1). */
const expanded: Readonly<Record<'ed25519' | 'ml-dsa-65', (seed: Uint8Array) => Uint8Array>> = {
  ed25519: (seed) => crypto.hash('sha512', seed).slice(32),
  'ml-dsa-65': (seed) => crypto.shake256(concat(seed, Uint8Array.of(6, 5)), 128).slice(96),
};

interface Needle {
  readonly name: string;
  readonly bytes: Buffer;
}

/** Each secret as it is, and as text would carry it. */
const needlesOf = (secrets: Secrets): readonly Needle[] =>
  [...secrets].flatMap(([name, secret]) => [
    { name, bytes: Buffer.from(secret) },
    { name: `${name}, as hexadecimal`, bytes: Buffer.from(toHex(secret)) },
    // Without its last characters, which depend on what stands behind it.
    { name: `${name}, as base64`, bytes: Buffer.from(toBase64(secret).slice(0, 42)) },
  ]);

/** Names of what was found, once for each place. */
const found = (needles: readonly Needle[], bytes: Buffer): readonly string[] =>
  needles.filter((needle) => bytes.includes(needle.bytes)).map(({ name }) => name);

/**
 * Every file under the folder of a device, but for the TPM's own state: that is the inside of a chip.
 * @returns what was found, each with its path
 */
export const scanFiles = (secrets: Secrets, folder: string): { readonly files: number; readonly found: readonly string[] } => {
  const needles = needlesOf(secrets);
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter(
    (entry) => entry.isFile() && entry.parentPath !== simulatedLayout(folder).tpm,
  );
  return {
    files: files.length,
    found: files.flatMap(({ parentPath, name }) =>
      found(needles, readFileSync(join(parentPath, name))).map(
        (what) => `${what} in ${join(parentPath, name).slice(folder.length + 1)}`,
      ),
    ),
  };
};

const chunkBytes = 8 * 1024 * 1024;
const overlapBytes = 128;

/**
 * What a core dump of the process would hold: all of its memory that can be read and is not a file's as it lies on disk.
 * @returns what was found, once for each place, and how many bytes were looked at
 */
export const scanMemory = (
  secrets: Secrets,
  processId: number,
): { readonly bytes: number; readonly found: readonly string[] } => {
  const needles = needlesOf(secrets);
  const places: string[] = [];
  let looked = 0;
  const memory = openSync(`/proc/${processId}/mem`, 'r');
  try {
    for (const { start, end, name } of regionsOf(processId)) {
      const buffer = Buffer.alloc(Math.min(chunkBytes, end - start));
      for (let at = start; at < end; at += buffer.length - overlapBytes) {
        const length = readPart(memory, buffer, at, Math.min(buffer.length, end - at));
        looked += length;
        for (const needle of needles)
          for (
            let hit = buffer.subarray(0, length).indexOf(needle.bytes);
            hit >= 0;
            hit = buffer.subarray(0, length).indexOf(needle.bytes, hit + 1)
          )
            places.push(`${needle.name} in ${name}`);
        if (length < buffer.length) break;
      }
    }
  } finally {
    closeSync(memory);
  }
  return { bytes: looked, found: places };
};

const regionsOf = (processId: number) =>
  readFileSync(`/proc/${processId}/maps`, 'utf8')
    .split('\n')
    .flatMap((line) => {
      const match = /^([0-9a-f]+)-([0-9a-f]+) (r)(.)\S* \S+ \S+ \S+\s*(.*)$/.exec(line);
      if (match === null) return [];
      const [, from = '', to = '', , write, name = ''] = match;
      const isFile = name.startsWith('/') && write !== 'w';
      const isKernel = name === '[vvar]' || name === '[vsyscall]' || name === '[vvar_vclock]';
      return isFile || isKernel
        ? []
        : [{ start: Number.parseInt(from, 16), end: Number.parseInt(to, 16), name: name || 'anonymous memory' }];
    });

/** A part that went away meanwhile is empty. */
const readPart = (memory: number, buffer: Buffer, at: number, length: number): number => {
  try {
    return readSync(memory, buffer, 0, length, at);
  } catch {
    return 0;
  }
};
