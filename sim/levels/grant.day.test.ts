/** A technician with an archive at a running device whose mouth reaches nobody: what it takes under a grant, and what it does not. */
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { deviceLayout } from '#agents/programs/layout';
import { codeOf, unwrap } from '#hal/core/result';
import { nodeCrypto } from '#hal/crypto/node';
import { hybridKeyPair, hybridSignatureSuites } from '#hal/crypto/suites';
import { linuxClock } from '#hal/linux/clock';
import { systemRandom } from '#hal/linux/random';
import { targetEntry } from '#ota-client/repository/compose';
import { signerFromSecret } from '#ota-client/repository/custodian';
import { grantFile, technicianWord } from '#ota-client/repository/field-grant';
import { consistentPath } from '#ota-client/repository/files';
import { publishRoles, signClass } from '#ota-client/repository/publish';
import { grantPath, wordPath } from '#ota-client/trust/field-grant';
import { approversFrom } from '#sim/peers/approvers';
import { simulatedHardware } from '#sim/peers/release-plans';
import { openRepository } from '#sim/peers/repository';
import { openPeerSecrets } from '#sim/peers/secrets';
import { faultOf } from '#sim/scenarios/outcome';
import { signIn } from '#sim/scenarios/person';
import { restart, slotsOf } from '#sim/scenarios/update';
import { makeReady, openTestWorld, type TestWorld } from './device.fixture.ts';

const clock = linuxClock();
const hour = 3_600_000;
const suite = hybridSignatureSuites['enigm-ed25519-mldsa65'];
const technician = signerFromSecret(nodeCrypto, 'tess', hybridKeyPair(nodeCrypto, suite, systemRandom).secretKey);

describe('a technician at a device that reaches nobody', () => {
  let opened: TestWorld;
  /** Offered to nobody by the director. */
  const publish = async (counter: number): Promise<void> => {
    const { world } = opened;
    const id = `release-${counter}`;
    const built = unwrap(await world.updates.releases.build({ id, counter }));
    world.knowRelease({ id, facts: built.facts });
    unwrap(await world.updates.releases.publish(built, 0));
  };
  const grant = unwrap(
    grantFile(nodeCrypto, {
      ...{ version: 1, expiresMs: clock.nowMs() + hour, releases: { first: 2, last: 9 }, uses: 1 },
      technicians: [technician],
    }),
  );
  const publishGrant = async (): Promise<void> => {
    const peers = join(opened.directory, 'peers');
    const secrets = await openPeerSecrets(peers, clock, systemRandom);
    const approvers = approversFrom(nodeCrypto, secrets.custodians);
    const { repository } = unwrap(await openRepository(join(peers, 'repository'), approvers, clock));
    const custom = { releaseCounter: 1, hw: [simulatedHardware] };
    const entry = targetEntry(nodeCrypto, grantPath(simulatedHardware), grant, custom);
    unwrap(await repository.files.put(consistentPath(entry), grant));
    const list = unwrap(await signClass(repository, 'grants', [entry], approvers.of('grants'), clock.nowMs()));
    unwrap(await publishRoles(repository, [list], approvers.publisher, clock.nowMs()));
  };
  /** A copy of the repository, with the technician's word on one release in it. */
  const carried = async (id: string): Promise<string> => {
    const place = join(opened.directory, `carried-${id}-${clock.bootMs()}`);
    cpSync(join(opened.directory, 'peers/repository'), place, { recursive: true });
    const offered = unwrap(opened.world.updates.releases.offers()).find(({ releaseId }) => releaseId === id);
    if (offered === undefined) throw new Error(`${id} is not offered`);
    mkdirSync(join(place, 'director'));
    const word = unwrap(await technicianWord(nodeCrypto, grant, offered.entry, technician, clock.nowMs()));
    writeFileSync(join(place, wordPath(simulatedHardware)), word);
    return place;
  };
  /** The mind of this boot starts anew by that configuration, and asks for the time. */
  const siteSays = async (grants: string): Promise<void> => {
    const { device, machine, until } = opened.world;
    const path = deviceLayout(device.directory).site;
    writeFileSync(
      path,
      readFileSync(path, 'utf8').replace(/("grants":"\w+",)?"trialSeconds"/, `"grants":"${grants}","trialSeconds"`),
    );
    const lives = () => machine.status().find(({ name }) => name === 'agentd')?.restarts ?? 0;
    const before = lives();
    device.kill('agentd');
    await until('the mind started anew', () => lives() > before);
    await device.answers();
    await until('the device is attested', async () => faultOf(await device.enigmctl('attest', 'now')) === undefined, 30_000);
  };
  const install = async (from: string): Promise<string> => {
    const fault = faultOf(await opened.world.device.enigmctl('update', 'install', '--from', from));
    return fault === undefined ? 'done' : codeOf(fault);
  };
  const states = async (): Promise<string> => {
    const { running, a, b } = await slotsOf(opened.world);
    return `${running} ${a.state} ${b.state}`;
  };

  beforeAll(async () => {
    opened = await openTestWorld('embedded');
    await makeReady(opened.world);
    for (const counter of [2, 3]) await publish(counter);
    await publishGrant();
    await signIn(opened.world, opened.world.device);
  });
  afterAll(() => opened?.[Symbol.asyncDispose]());

  test('has it take one release under the grant, with the mouth away, and the trial is kept', async () => {
    const { world } = opened;
    await siteSays('require');
    const place = await carried('release-2');
    world.device.pause('linkd');
    expect(await install(place)).toBe('done');
    world.device.resume('linkd');
    expect(await states()).toBe('a committed trial');
    await restart(world);
    await world.until('the trial is kept', async () => (await states()) === 'b superseded committed', 30_000);
  });

  test('has it take no second one, also after a restart', async () => {
    await siteSays('require');
    opened.world.device.pause('linkd');
    expect(await install(await carried('release-3'))).toBe('policy/grant-used');
    opened.world.device.resume('linkd');
    expect(await states()).toBe('b superseded committed');
  });

  test('waits for the director where the site takes no grant, who names nothing', async () => {
    await siteSays('off');
    const outcome = await opened.world.device.enigmctl('update', 'install', '--from', await carried('release-3'));
    expect(outcome.json).toMatchObject({ outcome: 'nothing-to-do' });
  });
});
