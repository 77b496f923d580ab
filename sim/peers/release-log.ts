/** The simulated log of releases: its keeper beside the publisher, and its two witnesses. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { ok, type Result } from '#hal/core/result';
import { nodeCrypto } from '#hal/crypto/node';
import { hybridPublicKey } from '#hal/crypto/suites';
import type { Clock } from '#hal/ports/clock';
import type { StaticFiles } from '#ota-client/repository/files';
import type { DeskLog } from '#ota-client/repository/log-entries';
import type { AskedWitness } from '#ota-client/transparency/gather';
import { recordEntries } from '#ota-client/transparency/log';
import { logOrigin, logSecretsFrom } from './log-keys.ts';
import type { PeerSecrets } from './secrets.ts';
import { openWitness, startWitness, type WitnessOptions, type WitnessPeer } from './witness.ts';

const threshold = 2;

export interface ReleaseLog extends Pick<DeskLog, 'record'> {
  close(): void;
}

export interface ReleaseLogOptions {
  /** Of the peers. */
  readonly directory: string;
  /** The repository's, which serves the log beside its metadata. */
  readonly files: StaticFiles;
  readonly seed: Uint8Array;
  readonly clock: Pick<Clock, 'nowMs'>;
}

/** @param witnesses who is asked; two of this process where nobody is given */
export const openReleaseLog = (
  { directory, files, seed, clock }: ReleaseLogOptions,
  witnesses?: readonly AskedWitness[],
): Result<ReleaseLog> => {
  const own: WitnessPeer[] = [];
  for (const options of witnesses === undefined ? witnessOptions(directory, seed, clock) : []) {
    const opened = openWitness(options);
    if (!opened.ok) return opened;
    own.push(opened.value);
  }
  const keeper = {
    ...{ crypto: nodeCrypto, files, origin: logOrigin, secret: logSecretsFrom(seed).keeper, threshold },
    witnesses: witnesses ?? own.map(({ asked }) => asked),
  };
  return ok({
    record: (fresh, live) => recordEntries(keeper, fresh, live),
    close: () => {
      for (const witness of own) void witness.close();
    },
  });
};

export interface StartedWitnesses {
  readonly asked: readonly AskedWitness[];
  close(): Promise<void>;
}

/** Both witnesses behind sockets of their own. */
export const startWitnesses = async ({
  directory,
  seed,
  secrets,
  clock,
}: {
  readonly directory: string;
  readonly seed: Uint8Array;
  readonly secrets: Pick<PeerSecrets, 'tlsAuthority'>;
  readonly clock: Clock;
}): Promise<Result<StartedWitnesses>> => {
  const started: WitnessPeer[] = [];
  for (const options of witnessOptions(directory, seed, clock)) {
    const witness = await startWitness({ ...options, secrets, clock });
    if (!witness.ok) return witness;
    started.push(witness.value);
  }
  return ok({
    asked: started.map(({ asked }) => asked),
    close: async () => {
      for (const witness of started) await witness.close();
    },
  });
};

const witnessOptions = (directory: string, seed: Uint8Array, clock: WitnessOptions['clock']): readonly WitnessOptions[] => {
  const { keeper, witnesses } = logSecretsFrom(seed);
  const place = join(directory, 'witnesses');
  mkdirSync(place, { recursive: true, mode: 0o700 });
  const logs = new Map([[logOrigin, hybridPublicKey(nodeCrypto, keeper)]]);
  return witnesses.map((witness) => ({ ...witness, directory: place, logs, clock }));
};
