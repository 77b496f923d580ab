/**
 * The broker of a live device: what it sees, which is labels and sealed payloads (SR-20), and what is lost when it is
 * killed, which is nothing that anybody was told is delivered.
 */
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { appendFileSync, readdirSync, readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { connectAsync, type IPublishPacket, type MqttClient } from 'mqtt';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { deviceLayout, socketPath } from '#agents/programs/layout';
import { toHex, utf8 } from '#hal/core/bytes';
import { decodeMessage, encodeMessage } from '#hal/core/message';
import { unwrap } from '#hal/core/result';
import { linuxClock } from '#hal/linux/clock';
import { systemRandom } from '#hal/linux/random';
import { seededRandom } from '#hal/memory/random';
import { handsMethods } from '#hal/remote/hands-methods';
import { socketClient } from '#hal/remote/socket-client';
import type { FleetMessage } from '#protos/gen/types';
import { certifyClient } from '#sim/peers/authority';
import { factoryPlan } from '#sim/peers/release-plans';
import { openPeerSecrets } from '#sim/peers/secrets';
import { verifierName } from '#sim/peers/verifier';
import { network } from '#sim/scenarios/network';
import { signIn } from '#sim/scenarios/person';
import { apps, policy, versionOf } from '#sim/scenarios/policy';
import { valuesOf } from '#sim/scenarios/seized';
import { type Chance, chance } from '#sim/world/chance';
import { newSeed, replayable } from '#sim/world/replay.fixture';
import { readAll } from './acknowledged.fixture.ts';
import { type Canaries, found } from './canaries.fixture.ts';
import { makeReady, openTestWorld, type TestWorld } from './device.fixture.ts';
import type { ProcessWorld } from './processes.ts';

const clock = linuxClock();
const pause = (durationMs: number) => clock.sleep(durationMs, new AbortController().signal);
/** HPKE adds an encapsulated key (X-Wing: 1120 bytes) and a tag (16 bytes) to one of four sizes. */
const sealedSizes = [1024, 8192, 32_768, 120_000].map((bucketBytes) => bucketBytes + 1120 + 16);

describe('the message broker of a live device', () => {
  let opened: TestWorld;
  let subscriber: Subscriber;
  const clear = { up: [] as FleetMessage[], down: [] as FleetMessage[] };
  beforeAll(async () => {
    opened = await openTestWorld('embedded');
    const { world } = opened;
    world.fleet.command.watch((direction, message) => clear[direction].push(message));
    subscriber = await subscribeToAll(world);
    await makeReady(world);
    await signIn(world, world.device);
  });
  afterAll(async () => {
    await subscriber.client.endAsync(true);
    await opened[Symbol.asyncDispose]();
  });

  test('sees labels and sealed payloads alone: no word and no byte of what passes, of the device, or of who uses it (SR-20)', async () => {
    const { world } = opened;
    for (const scenario of [policy, network]) expect((await scenario.run(world)).fault).toBeUndefined();
    await world.until('Command has the last report', () =>
      clear.up.some(({ report }) => report?.managed.some(({ kind }) => kind === 'configuration')),
    );

    const passed = canariesOfMessages([...clear.up, ...clear.down]);
    const plaintext = Buffer.concat([...clear.up, ...clear.down].map((message) => encodeMessage('FleetMessage', message)));
    const inClear = found(plaintext, passed);
    for (const name of Object.keys(passed)) expect(inClear).toContain(`${name} as it is`);

    const seen = whatTheBrokerHas(world, subscriber);
    const sought = { ...passed, ...(await canariesOfDevice(world)) };
    for (const [place, bytes] of Object.entries(seen)) {
      expect(bytes.length, place).toBeGreaterThan(100);
      expect(found(bytes, sought), place).toEqual([]);
    }
    expect(subscriber.packets.length).toBeGreaterThanOrEqual(clear.up.length);
    for (const { topic, payload, properties } of subscriber.packets) {
      expect(topic).toMatch(/^enigm\/v1\/[0-9a-f]{32}\/(up|down)$/);
      expect(sealedSizes).toContain(payload.length);
      expect(Object.keys(properties ?? {})).toEqual(['messageExpiryInterval']);
    }
    const named = [...seen.log.toString('utf8').matchAll(/New client connected from \S+ as (\S+) \(.* u'([^']*)'/g)];
    expect(named.length).toBeGreaterThanOrEqual(3);
    for (const [, client, user] of named) expect([client, user]).toEqual([expect.stringMatching(/^[0-9a-f]{32}$/), client]);
  });

  test('would have shown each of these canaries', () => {
    for (const canary of [randomBytes(16), 'camera-notes'])
      for (const [encoding, name] of [
        ['latin1', 'it as it is'],
        ['hex', 'it as hexadecimal'],
        ['base64', 'it as base64'],
        ['base64url', 'it as base64'],
      ] as const)
        for (const offset of [0, 1, 2, 3]) {
          const whole = Buffer.concat([randomBytes(offset), typeof canary === 'string' ? utf8(canary) : canary, randomBytes(5)]);
          expect(found(Buffer.from(whole.toString(encoding), 'latin1'), { it: canary })).toContain(name);
        }
  });

  test('loses nothing acknowledged when it is killed: announcements are applied, reports arrive, each has its effect once', async () => {
    const seed = newSeed();
    console.info(`seed ${seed}`);
    await replayable(seed, 'day', 'sim/levels/broker.day.test.ts', () =>
      surviveKills(opened.world, clear.up, chance(seededRandom(seed))),
    );
  });
});

const rounds = 10;
/** The broker writes what it has taken once in a second: many kills come before it did. */
const longestDelayMs = 1_000;
const longestDownMs = 400;
const withinMs = 60_000;

/** In each round Command is told that an announcement is accepted, and the broker is killed; then the device must have it. */
const surviveKills = async (world: ProcessWorld, heard: readonly FleetMessage[], draw: Chance): Promise<void> => {
  const { device, fleet, until } = world;
  const first = (await versionOf(device, 'apps')) + 1;
  const before = await appliedManifests(world);
  let kills = 0;
  const killOnce = async (): Promise<void> => {
    await pause(draw.below(longestDelayMs));
    await fleet.broker.kill();
    kills += 1;
    await pause(draw.below(longestDownMs));
    unwrap(await fleet.broker.restart());
  };
  for (let version = first; version < first + rounds; version += 1) {
    unwrap(await fleet.command.publish('apps', { version, apps }));
    await until('the broker takes an announcement', async () => (await fleet.command.announce('apps', version)).ok, withinMs);
    do await killOnce();
    while (draw.oneIn(3));
    await until(`version ${version} is applied`, async () => (await versionOf(device, 'apps')) === version, withinMs);
  }
  expect(kills).toBeGreaterThanOrEqual(rounds);

  const managed = unwrap(await device.app.call('managed.status', {})).states;
  await until('Command knows what is in force', () => {
    const last = heard.findLast(({ report }) => report !== undefined)?.report?.managed ?? [];
    return managed.every((state) => last.some((said) => encodedState(said) === encodedState(state)));
  });
  const delivered = () => deliveredReports(world);
  await until('the device knows that its last report arrived', () =>
    delivered().includes(toHex(heard.findLast(({ report }) => report !== undefined)?.id ?? new Uint8Array())),
  );
  const arrived = new Set(heard.map(({ id }) => toHex(id)));
  expect(delivered().filter((id) => !arrived.has(id))).toEqual([]);
  expect((await appliedManifests(world)) - before, 'each manifest took effect once').toBe(rounds);
  console.info(`${kills} kills after ${rounds} announcements, ${new Set(delivered()).size} reports delivered`);
};

const encodedState = (state: Parameters<typeof encodeMessage<'ManagedState'>>[1]): string =>
  toHex(encodeMessage('ManagedState', state));

/** Ids of the reports that the device holds for delivered, by its own log. */
const deliveredReports = ({ device }: ProcessWorld): readonly string[] =>
  readFileSync(join(device.directory, 'log/agentd.log'), 'utf8')
    .split('\n')
    .filter((line) => line.includes('"fleet.delivered"'))
    .map((line) => (JSON.parse(line) as { readonly report: string }).report);

/** How often the hands took a manifest, by the audit log. */
const appliedManifests = async ({ device }: ProcessWorld): Promise<number> => {
  const records = (await readAll(device.app)).map(({ record }) =>
    unwrap(decodeMessage('AuditRecord', record ?? new Uint8Array())),
  );
  return records.filter(({ event, outcome }) => event === 'admin.bundle' && outcome === 'done').length;
};

interface Subscriber {
  readonly client: MqttClient;
  readonly packets: (Pick<IPublishPacket, 'topic' | 'properties'> & { readonly payload: Buffer })[];
}

/** Somebody whom the broker lets read everything: an owner of the machine it runs on. For this test alone. */
const subscribeToAll = async ({ device, fleet: { broker } }: ProcessWorld): Promise<Subscriber> => {
  const label = randomBytes(16).toString('hex');
  appendFileSync(join(dirname(broker.logPath), 'access'), `\nuser ${label}\ntopic read #\n`);
  await broker.kill();
  unwrap(await broker.restart());
  const secrets = await openPeerSecrets(join(dirname(device.directory), 'peers'), clock, systemRandom);
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const info = new Uint8Array(publicKey.export({ format: 'der', type: 'spki' }));
  const client = await connectAsync(`mqtts://${broker.host}:${broker.port}`, {
    protocolVersion: 5,
    ca: secrets.tlsAuthority.certificate,
    cert: await certifyClient(secrets.fleetAuthority, label, info, 3_600_000, clock),
    key: privateKey.export({ format: 'pem', type: 'pkcs8' }),
    clientId: label,
  });
  const packets: Subscriber['packets'] = [];
  client.on('message', (topic, payload, { properties }) => {
    packets.push({ topic, payload, ...(properties === undefined ? {} : { properties }) });
  });
  await client.subscribeAsync('#', { qos: 1 });
  return { client, packets };
};

/** Everything at the broker: what a subscriber reads, what it wrote down, what it keeps on its disk. */
const whatTheBrokerHas = ({ fleet: { broker } }: ProcessWorld, { packets }: Subscriber) => {
  const directory = dirname(broker.logPath);
  const kept = readdirSync(directory).filter((name) => name.endsWith('.db'));
  return {
    messages: Buffer.concat(
      packets.flatMap(({ topic, payload, properties }) => [utf8(`${topic} ${JSON.stringify(properties)} `), payload]),
    ),
    log: readFileSync(broker.logPath),
    store: Buffer.concat(kept.map((name) => readFileSync(join(directory, name)))),
  };
};

/** What was inside of the messages themselves. */
const canariesOfMessages = (messages: readonly FleetMessage[]): Canaries => ({
  lifecycle: 'active',
  ...Object.fromEntries(['policy', 'configuration'].map((kind) => [`class ${kind}`, kind])),
  ...Object.fromEntries(messages.map(({ id }, index) => [`message ${index}`, id])),
  ...Object.fromEntries(
    messages.flatMap(({ report }) => report?.managed ?? []).map(({ kind, version, digest }) => [`${kind} ${version}`, digest]),
  ),
});

/** What is behind them: the device, the chip in it, the person, the policy. */
const canariesOfDevice = async ({ device, machine, updates, subject, session, network }: ProcessWorld): Promise<Canaries> => {
  const hands = socketClient(handsMethods, socketPath(machine.runDirectory, 'hands'));
  const { endorsementPublic, attestationPublic } = unwrap(await hands.call('tpm.identity', {}));
  hands.close();
  const keyOf = (publicArea: Uint8Array) => publicArea.slice(-32);
  const state = valuesOf(join(deviceLayout(device.directory).mind, 'mind.db'))
    .map((value) => Buffer.from(value).toString('utf8'))
    .find((value) => value.startsWith('{') && value.includes('"device"'));
  const { entries } = unwrap(await device.app.call('handles.list', {}));
  return {
    'device id': Buffer.from((JSON.parse(state ?? '{}') as { readonly device: string }).device, 'hex'),
    ...Object.fromEntries(entries.map(({ relyingParty, handle }) => [`handle for ${relyingParty}`, handle])),
    'endorsement key': keyOf(endorsementPublic),
    'attestation key': keyOf(attestationPublic),
    'name of the person': subject,
    session,
    hardware: updates.releases.hardware,
    release: factoryPlan.id,
    'root of the release': updates.releases.factory.facts.verityRoot,
    ...Object.fromEntries(apps.map(({ app }) => [`app ${app}`, app])),
    'digest of an app': apps[0]?.digest ?? new Uint8Array(),
    verifier: verifierName,
    ...(hostname().length < 8 ? {} : { host: hostname() }),
    ...(network.ok ? network.value.addresses : {}),
  };
};
