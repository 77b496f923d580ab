/** An office whose log has witnesses that are away: a release waits for them, a repair does not (SR-12). */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { afterAll, expect, test } from 'vitest';
import { toBase64 } from '#hal/core/bytes';
import { seededRandom } from '#hal/memory/random';
import { logTrust } from '#ota-client/transparency/log.fixture';
import { cliOffice } from './release.fixture.ts';

const office = await cliOffice();
afterAll(() => office.remove());
const seed = () => toBase64(seededRandom('keeper').bytes(32));
writeFileSync(office.at('keeper'), JSON.stringify({ classical: seed(), postQuantum: seed() }));
const witnesses = logTrust().witnesses.map(({ name, key }) => ({
  ...{ name, classical: toBase64(key.classical), postQuantum: toBase64(key.postQuantum) },
  ...{ url: 'https://127.0.0.1:1/witness', authority: '-----BEGIN CERTIFICATE-----\nx' },
}));
const log = { origin: 'log.example/office', key: office.at('keeper'), threshold: 2, witnesses };
writeFileSync(office.at('office/log.json'), JSON.stringify(log));

const signed = async (id: string, counter: number, name: 'os' | 'repair') => {
  await office.add(id, '--counter', String(counter), '--class', name);
  await office.review(id, 'bea');
  expect((await office.signImage(id, name)).code).toBe('ok');
  return office.stage(id, await office.referencesOf(id));
};

test('a release is not staged, and stays signed', async () => {
  expect((await signed('release-2', 2, 'os')).code).toBe('integrity/witnesses-missing');
  const { json } = await office.desk('show', 'release-2');
  expect(json).toMatchObject({ releases: [{ state: 'signed' }] });
});

test('a repair is staged all the same, and what was left out is written down', async () => {
  expect((await signed('repair-3', 3, 'repair')).code).toBe('ok');
  expect(readFileSync(office.at('office/unlogged/repair-3'), 'utf8')).toBe('integrity/witnesses-missing\n');
  expect(existsSync(office.at('office/unlogged/release-2'))).toBe(false);
});

test('a log that is not what it should be closes the desk, by its path', async () => {
  writeFileSync(office.at('office/log.json'), JSON.stringify({ ...log, threshold: 1 }));
  expect((await office.desk('show', 'release-2')).code).toBe('protocol/config-invalid');
});
