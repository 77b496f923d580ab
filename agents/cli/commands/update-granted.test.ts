import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { writeArchive } from '#agents/release/archive';
import { carriedOffer } from '#agents/release/carried-offer';
import { addGrant, type GrantInput } from '#agents/release/grants';
import { type CustodianKey, makeKey, publicKeyOf } from '#agents/release/keys';
import { atDesk, openOffice } from '#agents/release/office';
import { type TestOffice, testOffice } from '#agents/release/office.fixture';
import { viewReleases } from '#agents/release/overview';
import { codeOf, type Result, unwrap } from '#hal/core/result';
import { memoryStore } from '#hal/memory/durable-store';
import { seededRandom } from '#hal/memory/random';
import { nextImage, sampleImage } from '#ota-client/payload/images.fixture';
import { reviewRelease, rollRelease, stageRelease } from '#ota-client/repository/publisher';
import { recordOf } from './audit.ts';
import { type CarriedDevice, type CarriedDeviceOptions, carriedDevice, hardware } from './carried-device.fixture.ts';

const old = sampleImage('old', 150);
const code = (result: Result<unknown>): string => (result.ok ? 'ok' : codeOf(result.fault));

/** A real office with its grants, real archives, the command line, the real door, updater and hands; nobody else is there. */
describe('a release that a technician carries under a grant', () => {
  let office: TestOffice;
  const random = seededRandom('technicians');
  const technician = async (name: string) => {
    const path = office.file(`${name}.made`, new Uint8Array()).replace('.made', '.json');
    return unwrap(await makeKey(path, { name, role: 'technician' }, random));
  };
  let tess: CustodianKey;
  let toby: CustodianKey;

  const stage = async (id: string) => {
    const roots = unwrap(await viewReleases(office.parts, office.folder)).flatMap(({ verityRoot }) => verityRoot ?? []);
    return unwrap(
      await atDesk(office.parts, office.folder, roots, (desk) => stageRelease(desk, id, [office.key('publisher-only').signer])),
    );
  };
  const publish = async (id: string, counter: number) => {
    const file = office.file(id, nextImage(id, old));
    await office.add({ id, class: 'os', file, counter, hardware: [hardware] });
    for (const _ of ['statement', 'list']) unwrap(await office.sign(id, 'os-first', 'os-second'));
    await stage(id);
    const roots = unwrap(await viewReleases(office.parts, office.folder)).flatMap(({ verityRoot }) => verityRoot ?? []);
    unwrap(await atDesk(office.parts, office.folder, roots, (desk) => rollRelease(desk, id, 1000, 'pat')));
  };
  const grant = async (id: string, rest: Partial<GrantInput> = {}) => {
    const bounds = { releases: { first: 5, last: 6 }, uses: 1, days: 7, technicians: [publicKeyOf(tess)] };
    unwrap(await addGrant(office.parts, office.folder, { id, author: 'ada', hardware, ...bounds, ...rest }));
    unwrap(await atDesk(office.parts, office.folder, [], (desk) => reviewRelease(desk, id, 'bea')));
    unwrap(await office.sign(id, 'grants-first', 'grants-second'));
    await stage(id);
  };
  const offer = (id: string, by = tess) => carriedOffer(office.parts, office.folder, id, by);
  /** @param id of the release that is offered; none where it is undefined. @returns the path of the archive */
  const archive = async (id: string | undefined, by = tess): Promise<string> => {
    const out = office.file(`${id ?? 'plain'}.tar`, new Uint8Array());
    const { repository } = unwrap(openOffice(office.parts.crypto, office.folder));
    const added = id === undefined ? [] : [unwrap(await offer(id, by))];
    unwrap(await writeArchive(repository.files, join(office.folder, 'repository'), out, added));
    return out;
  };

  beforeAll(async () => {
    office = await testOffice();
    [tess, toby] = [await technician('tess'), await technician('toby')];
    for (const counter of [5, 6, 7]) await publish(`os-${counter}`, counter);
    const file = office.file('repair', nextImage('repair', old));
    await office.add({ id: 'repair-9', class: 'repair', file, counter: 9, hardware: [hardware] });
    for (const _ of ['statement', 'list']) unwrap(await office.sign('repair-9', 'repair-first', 'repair-second'));
    await stage('repair-9');
    await grant('grant-1');
  });
  afterAll(() => office.remove());

  const devices: CarriedDevice[] = [];
  const newDevice = async (options: CarriedDeviceOptions = { grants: 'require' }): Promise<CarriedDevice> => {
    const device = await carriedDevice(office, options);
    devices.push(device);
    return device;
  };
  afterEach(async () => {
    for (const device of devices.splice(0)) await device[Symbol.asyncDispose]();
  });

  test.each(['accept', 'require'] as const)(
    'installs from one file, with nobody to ask, where the site says %s',
    async (grants) => {
      const device = await newDevice({ grants });
      expect(await device.install('--from', await archive('os-5'))).toBe('armed');
      expect(await device.states()).toBe('a committed trial');
      const records = device.audit.list(0, 100).flatMap((entry) => recordOf(entry));
      expect(records.map(({ record }) => record.event)).toContain('release.granted');
    },
  );

  test('waits for the director where the site takes no grant, and where it takes one and none came', async () => {
    const off = await newDevice({ grants: 'off' });
    expect(await off.install('--from', await archive('os-5'))).toBe('unavailable/peer-unreachable');
    const accept = await newDevice({ grants: 'accept' });
    expect(await accept.install('--from', await archive(undefined))).toBe('unavailable/peer-unreachable');
  });

  test('is refused without a grant where the site requires one', async () => {
    const device = await newDevice();
    expect(await device.install('--from', await archive(undefined))).toBe('policy/grant-missing');
    expect(await device.states()).toMatch(/^a committed (?:empty|writing)$/);
  });

  test('SR-12, SR-33: as a repair installs whatever the site says of grants, also without the time', async () => {
    const time = () => ({ nowMs: undefined, floorMs: 0 });
    const device = await newDevice({ grants: 'require', time });
    expect(await device.install('--repair', '--from', await archive(undefined))).toBe('armed');
  });

  test('SR-16: is refused without the time', async () => {
    const device = await newDevice({ grants: 'require', time: () => ({ nowMs: undefined, floorMs: 0 }) });
    expect(await device.install('--from', await archive('os-5'))).toBe('posture/time-unknown');
  });

  test('is counted on each device, and the count outlives whoever keeps it', async () => {
    const store = memoryStore();
    const five = await archive('os-5');
    expect(await (await newDevice({ grants: 'require', store })).install('--from', five)).toBe('armed');
    // The same device, its slots as they were: the same release again is no new use, another one is.
    expect(await (await newDevice({ grants: 'require', store })).install('--from', five)).toBe('armed');
    const again = await newDevice({ grants: 'require', store });
    expect(await again.install('--from', await archive('os-6'))).toBe('policy/grant-used');
    expect(await again.states()).toMatch(/^a committed (?:empty|writing)$/);
    expect(await (await newDevice()).install('--from', await archive('os-6'))).toBe('armed');
  });

  describe('unpacked, with the word of the technician', () => {
    const unpacked = async (device: CarriedDevice, change: (word: string) => void) => {
      const place = join(device.directory, 'copy');
      mkdirSync(place);
      execFileSync('tar', ['-xf', await archive('os-5'), '-C', place]);
      change(join(place, 'director', `${hardware}.json`));
      return place;
    };

    test('as it is, installs', async () => {
      const device = await newDevice();
      expect(await device.install('--from', await unpacked(device, () => undefined))).toBe('armed');
    });

    test('left out, cut, or with a bit flipped, is refused', async () => {
      const device = await newDevice();
      const place = await unpacked(device, () => undefined);
      const word = join(place, 'director', `${hardware}.json`);
      const whole = readFileSync(word);
      writeFileSync(word, whole.subarray(0, 500));
      expect(await device.install('--from', place)).toBe('protocol/malformed');
      writeFileSync(word, whole.with(600, (whole[600] ?? 0) ^ 1));
      expect(await device.install('--from', place)).toMatch(/^(?:integrity\/signature-invalid|protocol\/field-invalid)$/);
      rmSync(word);
      expect(await device.install('--from', place)).toBe('policy/grant-missing');
    });

    test('for another class of hardware, is not looked at', async () => {
      const device = await newDevice();
      const place = await unpacked(device, (word) => {
        cpSync(word, join(word, '..', 'other-board.json'));
        rmSync(word);
      });
      expect(await device.install('--from', place)).toBe('policy/grant-missing');
    });

    test('and a bit flipped in the grant, is refused', async () => {
      const device = await newDevice();
      const place = await unpacked(device, () => undefined);
      const [name = ''] = readdirSync(join(place, 'targets', 'grants'));
      const file = join(place, 'targets', 'grants', name);
      const bytes = readFileSync(file);
      writeFileSync(file, bytes.with(70, (bytes[70] ?? 0) ^ 1));
      expect(await device.install('--from', place)).toBe('integrity/target-mismatch');
    });
  });

  describe('at the office', () => {
    test('is not carried outside of its grant, by another technician, or where the director would not name it', async () => {
      expect(code(await offer('os-7'))).toBe('policy/grant-range');
      expect(code(await offer('os-5', toby))).toBe('integrity/custodians-missing');
      expect(code(await offer('os-5', office.key('os-first')))).toBe('integrity/role-mismatch');
      expect(code(await offer('repair-9'))).toBe('protocol/event-refused');
      expect(code(await offer('nothing'))).toBe('protocol/event-refused');
    });

    test('a grant is a draft of grants alone: for technicians, for at most a month, within bounds', async () => {
      const bounds = { hardware, releases: { first: 5, last: 6 }, uses: 1, days: 7, technicians: [publicKeyOf(tess)] };
      const added = async (rest: Partial<GrantInput>) =>
        code(await addGrant(office.parts, office.folder, { id: 'other', author: 'ada', ...bounds, ...rest }));
      expect(await added({ technicians: [publicKeyOf(office.key('os-first'))] })).toBe('integrity/role-mismatch');
      expect(await added({ days: 31 })).toBe('protocol/config-invalid');
      expect(await added({ days: Number.NaN })).toBe('protocol/config-invalid');
      expect(await added({ uses: 17 })).toBe('protocol/field-invalid');
      expect(await added({ releases: { first: 6, last: 5 } })).toBe('protocol/field-invalid');
      expect(await added({ technicians: [] })).toMatch(/^(?:integrity|protocol)\//);
    });
  });
});
