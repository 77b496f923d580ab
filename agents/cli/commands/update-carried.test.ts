import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { writeArchive } from '#agents/release/archive';
import { atDesk, openOffice } from '#agents/release/office';
import { type TestOffice, testOffice } from '#agents/release/office.fixture';
import { viewReleases } from '#agents/release/overview';
import { concat } from '#hal/core/bytes';
import { unwrap } from '#hal/core/result';
import { nextImage, sampleImage } from '#ota-client/payload/images.fixture';
import { stageRelease } from '#ota-client/repository/publisher';
import { ask, askJson } from '../enigmctl.fixture.ts';
import { type CarriedDevice, carriedDevice, hardware } from './carried-device.fixture.ts';

const id = 'repair-5';
const old = sampleImage('old', 150);
const image = nextImage('carried', old);

/** A real office, its archive, the command line, the real door, updater and hands; the network and the director are not there. */
describe('a release that was carried to a device', () => {
  let office: TestOffice;
  let archive: string;
  beforeAll(async () => {
    office = await testOffice();
    const { parts, folder } = office;
    const file = office.file('image', image);
    const base = office.file('base', old);
    await office.add({ id, class: 'repair', file, counter: 5, hardware: [hardware], bases: [base] });
    for (const _ of ['statement', 'list']) unwrap(await office.sign(id, 'repair-first', 'repair-second'));
    const roots = unwrap(await viewReleases(parts, folder)).flatMap(({ verityRoot }) => verityRoot ?? []);
    unwrap(await atDesk(parts, folder, roots, (desk) => stageRelease(desk, id, [office.key('publisher-only').signer])));
    archive = office.file('archive.tar', new Uint8Array());
    const { repository } = unwrap(openOffice(parts.crypto, folder));
    unwrap(await writeArchive(repository.files, join(folder, 'repository'), archive));
  });
  afterAll(() => office.remove());

  let device: CarriedDevice;
  const install = (...words: readonly string[]) => device.install(...words);
  beforeEach(async () => {
    device = await carriedDevice(office);
  });
  afterEach(() => device[Symbol.asyncDispose]());
  const unpacked = () => {
    const place = join(device.directory, 'copy');
    mkdirSync(place);
    execFileSync('tar', ['-xf', archive, '-C', place]);
    return place;
  };

  test('SR-12: as a repair installs from one file, with nobody to ask', async () => {
    expect(await install('--repair', '--from', archive)).toBe('armed');
    expect(await device.states()).toBe('a committed trial');
  });

  test('SR-12: the same from a folder, as any tar unpacks it', async () => {
    expect(await install('--repair', '--from', unpacked())).toBe('armed');
  });

  test('SR-12: as an update waits for the director, who is asked all the same', async () => {
    expect(await install('--from', archive)).toBe('unavailable/peer-unreachable');
    expect(await device.states()).toMatch(/^a committed (?:empty|writing)$/);
  });

  const inPayload = (name: RegExp) => (file: string) => file.startsWith(`targets/payload/${id}/`) && name.test(file);
  test.each([
    // Half of a timestamp is within its signatures: others, or no hexadecimal any more.
    ['timestamp', (file: string) => file === 'metadata/timestamp.json', /^(?:integrity\/signature-invalid|protocol\/[a-z-]+)$/],
    ['snapshot', (file: string) => file.endsWith('.snapshot.json'), /^integrity\/metadata-mismatch$/],
    ['list of classes', (file: string) => file === 'metadata/1.targets.json', /^integrity\/metadata-mismatch$/],
    ['list of its class', (file: string) => file === 'metadata/2.repair.json', /^integrity\/metadata-mismatch$/],
    ['manifest', (file: string) => file.startsWith('targets/repair/'), /^integrity\/target-mismatch$/],
    ['index', inPayload(/\/index$/), /^integrity\/target-mismatch$/],
    ['recipes', inPayload(/\.recipe$/), /^integrity\/target-mismatch$/],
    ['first byte of the pieces', inPayload(/\.pieces$/), /^integrity\/segment-mismatch$/],
  ])('is refused with a bit flipped in the %s', async (what, isMeant, refusal) => {
    const place = unpacked();
    const flipped = readdirSync(place, { recursive: true, encoding: 'utf8' }).filter((file) => isMeant(file));
    expect(flipped).not.toEqual([]);
    for (const name of flipped) {
      const bytes = readFileSync(join(place, name));
      // Not all of the pieces are asked for by a device that comes from the base.
      const at = what.startsWith('first byte') ? 0 : bytes.length >> 1;
      writeFileSync(join(place, name), bytes.with(at, (bytes[at] ?? 0) ^ 1));
    }
    expect(await install('--repair', '--from', place)).toMatch(refusal);
    expect(await device.states()).toMatch(/^a committed (?:empty|writing)$/);
  });

  test('is refused where files are not there', async () => {
    expect(await install('--repair', '--from', device.directory)).toBe('unavailable/not-found');
    expect(await install('--repair', '--from', '/nowhere')).toBe('protocol/file-unreadable');
  });

  test('is not taken from an archive that is cut, or none', async () => {
    const cut = join(device.directory, 'cut');
    const whole = readFileSync(archive);
    for (const bytes of [whole.subarray(0, whole.length - 1024), whole.subarray(0, 700), Buffer.from('no archive'), concat()]) {
      writeFileSync(cut, bytes);
      expect(await install('--repair', '--from', cut)).toBe('protocol/malformed');
    }
  });

  test('is one file with the newest of all that is published, the same each time', async () => {
    const listed = execFileSync('tar', ['-tf', archive], { encoding: 'utf8' }).trim().split('\n');
    expect(listed).toEqual(listed.toSorted());
    for (const name of ['metadata/1.root.json', 'metadata/root.json', 'metadata/timestamp.json', 'metadata/2.repair.json'])
      expect(listed).toContain(name);
    expect(listed).not.toContain('metadata/1.repair.json');
    const again = join(device.directory, 'again.tar');
    const said = await askJson('release', 'archive', office.folder, '--out', again);
    expect(said.json).toMatchObject({ files: listed.length });
    expect(readFileSync(again).equals(readFileSync(archive))).toBe(true);
    expect((await ask('release', 'archive', device.directory, '--out', again)).code).not.toBe(0);
  });
});
