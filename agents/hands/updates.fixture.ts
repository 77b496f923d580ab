/** For tests: hands with slots in memory behind their real door, releases that two custodians signed, and a mind that is allowed everything. */
import { type BuiltRelease, buildRelease } from '#agents/release/build';
import { readManifest } from '#agents/update/manifest';
import { type Perform, readSituation, remoteInstaller, remoteSwitch } from '#agents/update/remote-installer';
import { bootRecordStore, recordedBootControl } from '#hal/core/boot-record';
import { mintPermit } from '#hal/core/permit';
import { deny, ok, type Result, unwrap } from '#hal/core/result';
import { twinRecordBytes } from '#hal/core/twin-record';
import { nodeCrypto } from '#hal/crypto/node';
import { type HybridSecretKey, hybridKeyPair, hybridSignatureSuites } from '#hal/crypto/suites';
import { memoryBlockDevice, memorySlots } from '#hal/memory/block-device';
import { chooseSlot } from '#hal/memory/boot-loader';
import type { VirtualClock } from '#hal/memory/clock';
import { memoryStore } from '#hal/memory/durable-store';
import { memoryLog } from '#hal/memory/log';
import { seededRandom } from '#hal/memory/random';
import type { RunningSlot } from '#hal/ports/boot-control';
import { slotNames } from '#hal/ports/slots';
import type { FetchRange } from '#ota-client/apply/fetch';
import { install } from '#ota-client/apply/install';
import type { RunningImage } from '#ota-client/apply/tiers';
import { nextImage, sampleImage } from '#ota-client/payload/images.fixture';
import { provisionSlots } from '#ota-client/slots/factory';
import { ledgerStore } from '#ota-client/slots/ledger';
import type { ReleasePolicy } from '#ota-client/slots/statement';
import type { LogTrust } from '#ota-client/transparency/log-trust';
import type { SupplyFacts } from '#protos/gen/types';
import { memoryTpmFloor } from './device-floor.fixture.ts';
import { deviceFloor } from './device-floor.ts';
import { bootId, startTestHands } from './hands.fixture.ts';
import { keptStatements } from './kept-statements.ts';
import { logOfReleases } from './log-of-releases.ts';
import { slotUpdates, type WrittenPolicy } from './updates.ts';

const suite = hybridSignatureSuites['enigm-ed25519-mldsa65'];
const random = seededRandom('release custodians');
const twoOf = () => [0, 1].map(() => hybridKeyPair(nodeCrypto, suite, random));
const custodians = { os: twoOf(), repair: twoOf(), policy: twoOf() };
export type CustodianClass = keyof typeof custodians;
export const secretsOf = (name: CustodianClass): readonly HybridSecretKey[] => custodians[name].map(({ secretKey }) => secretKey);
const hardware = 'test-board';
const policyFor = (name: CustodianClass): WrittenPolicy => ({
  ...{ crypto: nodeCrypto, threshold: 2, hardware, isRepair: false },
  keys: custodians[name].map(({ publicKey }) => publicKey),
});

const oldImage = sampleImage('old', 150);

interface ReleaseOptions {
  readonly floorEpoch?: number;
  readonly signers?: readonly HybridSecretKey[];
  readonly hardware?: string;
  readonly image?: Uint8Array;
}

/** As a publisher signs it; whom the hands believe is for them to say. */
export const release = async (counter: number, options: ReleaseOptions = {}): Promise<BuiltRelease> => {
  const {
    floorEpoch = 0,
    signers = secretsOf('os'),
    hardware: named = hardware,
    image = nextImage(`${counter}`, oldImage),
  } = options;
  const keys = Object.values(custodians).flatMap((pairs) => pairs.map(({ publicKey }) => publicKey));
  const policy = { crypto: nodeCrypto, threshold: signers.length, hardware: named, keys };
  const input = { id: `r${counter}`, counter, floorEpoch, hardware: named, image, bases: [oldImage], signers, level: 1 };
  return unwrap(await buildRelease(input, policy));
};

export const factoryRelease = await release(1, { image: oldImage });
const slotBytes = 1200 * 1024;
export const soakMs = 60_000;

interface DeviceOptions {
  /** Whose releases the hands believe as well. */
  readonly others?: readonly ReleasePolicy[];
  /** The log that they follow; none where it is absent. */
  readonly log?: LogTrust;
}

/** Slot a holds the factory's release. A boot finds in a slot what the ledger says: images are looked at in other tests. */
export const updateDevice = async (clock: VirtualClock, { others = [], log }: DeviceOptions = {}) => {
  const medium = memoryBlockDevice;
  const media = { a: medium(slotBytes), b: medium(slotBytes), boot: medium(twinRecordBytes), ledger: medium(twinRecordBytes) };
  media.a.load(factoryRelease.image);
  const boot = bootRecordStore(media.boot);
  const ledger = ledgerStore(media.ledger);
  unwrap(await provisionSlots(boot, ledger, factoryRelease.facts));
  const store = memoryStore();
  const tpm = memoryTpmFloor();
  const floor = deviceFloor(tpm, store);
  unwrap(await floor.define());
  let isWell = true;
  let supply: SupplyFacts = { isOnMains: true };
  const start = async () => {
    const slot = unwrap(await chooseSlot(boot));
    const { verityRoot } = unwrap(await ledger.read())[slot].release ?? factoryRelease.facts;
    const running: RunningSlot = { slot, verityRoot };
    return startTestHands(clock, {
      supply: { read: async () => ok(supply) },
      ...slotUpdates({
        slots: memorySlots(media),
        boot: recordedBootControl(boot, async () => ok(running)),
        ledger,
        floor,
        statements: keptStatements(store, factoryRelease.statement),
        policies: [
          ...[policyFor('os'), { ...policyFor('repair'), isRepair: true }],
          ...others.map((policy) => ({ ...policy, isRepair: false })),
        ],
        log: logOfReleases(nodeCrypto, log, store, memoryLog()),
        clock,
        soakMs,
        probes: [{ name: 'storage-writable', run: async () => isWell }],
      }),
    });
  };
  let device = await start();

  /** A permit for everything, asked for anew at each call. */
  const perform: Perform = async (call) => {
    const { permitKey, lastSequence } = unwrap(await device.hands.hello());
    const context = { bootId, notAfterBootMs: clock.bootMs() + 30_000, sequence: lastSequence + 1 };
    const digests = { policyDigest: new Uint8Array(32), auditLeaf: new Uint8Array(32) };
    return call.run(mintPermit(permitKey, { ...call, ...context, ...digests }));
  };
  const fetchFrom =
    ({ contents }: BuiltRelease): FetchRange =>
    async (path, offset, length) => {
      const bytes = contents.get(path);
      return bytes === undefined ? deny('unavailable', 'not-found', path) : ok(bytes.slice(offset, offset + length));
    };
  return {
    media,
    tpm,
    store,
    perform,
    feed(facts: SupplyFacts) {
      supply = facts;
    },
    get hands() {
      return device.hands;
    },
    get client() {
      return device.client;
    },
    get log() {
      return device.log;
    },
    get switch() {
      return remoteSwitch(device.hands, perform);
    },
    installer: (wanted: BuiltRelease, owner = 'mind', proof?: Uint8Array) =>
      remoteInstaller(device.hands, perform, owner, wanted.statement, proof),
    async install(wanted: BuiltRelease, running?: RunningImage): Promise<Result<void>> {
      const { files } = unwrap(readManifest(wanted.manifest));
      const { facts, salt, uuid } = wanted;
      return install(
        { release: facts, salt, uuid, owner: 'mind', isForced: false },
        files,
        {
          mirrors: [fetchFrom(wanted)],
          installer: remoteInstaller(device.hands, perform, 'mind', wanted.statement),
          clock,
          ...(running === undefined ? {} : { running }),
        },
        new AbortController().signal,
      );
    },
    /** What each slot is, and which one runs. */
    async states() {
      const { view } = unwrap(await readSituation(device.hands));
      return [view.running.slot, ...slotNames.map((name) => view.slots[name].state)].join(' ');
    },
    fallIll: () => {
      isWell = false;
    },
    async restart() {
      await device[Symbol.asyncDispose]();
      device = await start();
    },
    [Symbol.asyncDispose]: () => device[Symbol.asyncDispose](),
  };
};
