import { expect, test } from 'vitest';
import { unwrap } from '#hal/core/result';
import { readLog } from '#ota-client/repository/office-log';
import { completeRelease, revokeRelease, rollRelease, stageRelease } from '#ota-client/repository/publisher';
import { draftOf, type TestOffice, testOffice } from './office.fixture.ts';
import { atDesk } from './office.ts';
import { viewReleases } from './overview.ts';

const classes = ['os', 'policy'] as const;

/** The whole life of one release of some classes, and what is served after it. */
const lived = async (office: TestOffice, order: readonly string[]): Promise<ReadonlyMap<string, string>> => {
  const { parts, folder } = office;
  const machine = [office.key('publisher-only').signer];
  for (const name of classes) {
    const id = `${name}-2`;
    await office.add(draftOf(office, name));
    const signers = order.map((which) => `${name}-${which}`);
    unwrap(await office.sign(id, ...signers));
    if (name !== 'policy') unwrap(await office.sign(id, ...signers));
    const roots = unwrap(await viewReleases(parts, folder)).flatMap(({ verityRoot }) => verityRoot ?? []);
    unwrap(await atDesk(parts, folder, roots, (desk) => stageRelease(desk, id, machine)));
    unwrap(await atDesk(parts, folder, roots, (desk) => rollRelease(desk, id, 1000, 'pat')));
    unwrap(await atDesk(parts, folder, roots, (desk) => completeRelease(desk, id, 'pat')));
  }
  unwrap(await atDesk(parts, folder, [], (desk) => revokeRelease(desk, 'os-2', 'pat', true)));
  unwrap(await office.sign('os-2', ...order.map((which) => `os-${which}`)));
  unwrap(await atDesk(parts, folder, [], (desk) => stageRelease(desk, 'os-2', machine)));
  return office.served();
};

test('the same steps with the same keys and clock serve the same bytes, whoever signed first', async () => {
  const one = await testOffice('seed of one office');
  const two = await testOffice('seed of one office');
  const other = await testOffice('seed of another');
  const founded = one.served();
  expect([...two.served()]).toEqual([...founded]);
  expect([...other.served()]).not.toEqual([...founded]);
  const [first, second] = [await lived(one, ['first', 'second']), await lived(two, ['second', 'first'])];
  expect(first.size).toBeGreaterThan(20);
  expect([...second]).toEqual([...first]);
  const log = (office: TestOffice) => atDesk(office.parts, office.folder, [], ({ store }) => readLog(office.parts.crypto, store));
  expect(unwrap(await log(one)).map(({ did, release }) => `${did} ${release}`)).toEqual(
    unwrap(await log(two)).map(({ did, release }) => `${did} ${release}`),
  );
  for (const office of [one, two, other]) office.remove();
});
