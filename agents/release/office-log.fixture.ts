/** For tests: what an office's `log.json` says of a log whose witnesses nobody can reach. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { toBase64 } from '#hal/core/bytes';
import { seededRandom } from '#hal/memory/random';
import { logTrust } from '#ota-client/transparency/log.fixture';

const seed = () => toBase64(seededRandom('keeper').bytes(32));

/** Written into the folder: the key of the keeper. @returns what `log.json` says */
export const logFileIn = (folder: string) => {
  const key = join(folder, 'log-keeper.json');
  writeFileSync(key, JSON.stringify({ classical: seed(), postQuantum: seed() }));
  const witnesses = logTrust().witnesses.map(({ name, key: { classical, postQuantum } }) => ({
    ...{ name, classical: toBase64(classical), postQuantum: toBase64(postQuantum) },
    ...{ url: 'https://127.0.0.1:1/witness', authority: '-----BEGIN CERTIFICATE-----\nx' },
  }));
  return { origin: 'log.example/office', key, threshold: 2, witnesses };
};
