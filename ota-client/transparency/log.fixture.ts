/** For tests: a log in memory, three witnesses with keys of their own, and what a device is told of them. */
import { utf8 } from '#hal/core/bytes';
import { ok, unwrap } from '#hal/core/result';
import { nodeCrypto } from '#hal/crypto/node';
import { hybridKeyPair, hybridSignatureSuites } from '#hal/crypto/suites';
import { memoryStore } from '#hal/memory/durable-store';
import { seededRandom } from '#hal/memory/random';
import { memoryFiles, type StaticFiles } from '#ota-client/repository/files';
import { type EntryKind, type LogEntry, proofPath } from './entry.ts';
import type { AskedWitness } from './gather.ts';
import { type LogKeeper, recordEntries } from './log.ts';
import type { LogPolicy, LogTrust } from './log-trust.ts';
import { addCheckpoint } from './witness.ts';

const crypto = nodeCrypto;
const random = seededRandom('log of releases');
const newKeys = () => hybridKeyPair(crypto, hybridSignatureSuites['enigm-ed25519-mldsa65'], random);
/** Signs what it is told to, for logs whose key was stolen. */
export const logKeys = newKeys();
const witnessKeys = ['witness.example/a', 'witness.example/b', 'witness.example/c'].map((name) => ({ name, keys: newKeys() }));

export const origin = 'log.example/releases';

export const logTrust = (policy: LogPolicy = 'require', witnesses = 2): LogTrust => ({
  ...{ policy, origin, key: logKeys.publicKey, threshold: 2 },
  witnesses: witnessKeys.slice(0, witnesses).map(({ name, keys }) => ({ name, key: keys.publicKey })),
});

export const entry = (name: string, kind: EntryKind = 'targets'): LogEntry => ({
  kind,
  digest: crypto.hash('sha256', utf8(name)),
});

/** Witnesses remember for as long as this object is there, whatever log they are shown. */
export const newWitnesses = (watched = origin): readonly AskedWitness[] =>
  witnessKeys.map(({ name, keys }) => {
    const store = memoryStore();
    const parts = {
      ...{ crypto, name, secret: keys.secretKey, store, clock: { nowMs: () => 1_700_000_000_000 } },
      logs: new Map([[watched, logKeys.publicKey]]),
    };
    return { name, key: keys.publicKey, ask: async (body) => ok(addCheckpoint(parts, body)) };
  });

export const newLog = (
  witnesses: readonly AskedWitness[] = newWitnesses().slice(0, 2),
  files: StaticFiles = memoryFiles(),
  named = origin,
) => {
  const keeper: LogKeeper = { crypto, files, origin: named, secret: logKeys.secretKey, witnesses, threshold: 2 };
  return {
    keeper,
    files,
    record: (fresh: readonly LogEntry[], live: readonly LogEntry[] = []) => recordEntries(keeper, fresh, live),
    proof: async (of: LogEntry): Promise<Uint8Array | undefined> => unwrap(await files.get(proofPath(of))),
  };
};

/** An entry in a log of several, with its proof. */
export const provedEntry = async (name = 'wanted'): Promise<{ readonly entry: LogEntry; readonly proof: Uint8Array }> => {
  const log = newLog();
  const wanted = entry(name);
  unwrap(await log.record(['one', 'two', 'three'].map((other) => entry(other))));
  unwrap(await log.record([wanted, entry('five')]));
  return { entry: wanted, proof: (await log.proof(wanted)) ?? new Uint8Array() };
};
