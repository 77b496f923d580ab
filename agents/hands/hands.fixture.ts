/**
 * For tests: hands over a real unix socket, with the real door and the real permits. The devices behind it answer from
 * memory: a boot log, the registers it leads to, keys derived from a fixed secret, a switch that remembers why.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { attestedPcrs } from '#agents/attest/collect';
import { parseEventLog } from '#attestation/eventlog/parse';
import { replayBank } from '#attestation/eventlog/replay';
import { sampleBoot, writeLog } from '#attestation/eventlog/sample.fixture';
import { concat } from '#hal/core/bytes';
import { done, ok, unwrap } from '#hal/core/result';
import { versionFloor } from '#hal/core/version-floor';
import { nodeCrypto } from '#hal/crypto/node';
import { noUpdates } from '#hal/linux/unsupported';
import { memoryStore } from '#hal/memory/durable-store';
import { memoryLog } from '#hal/memory/log';
import { memoryManaged } from '#hal/memory/managed';
import { seededRandom } from '#hal/memory/random';
import { memorySignals } from '#hal/memory/signals';
import { sealedDeviceKeys } from '#hal/native/device-keys';
import type { Clock } from '#hal/ports/clock';
import type { SlotsReading } from '#hal/ports/updater';
import { dispatcher } from '#hal/remote/dispatcher';
import { type RemoteHands, remoteHands } from '#hal/remote/hands-client';
import { type HandsMethods, handsMethods } from '#hal/remote/hands-methods';
import { type HandsPorts, handsDoor } from '#hal/remote/hands-server';
import { type SocketClient, socketClient } from '#hal/remote/socket-client';
import { type SocketServer, serveSocket } from '#hal/remote/socket-server';
import { storedEpochs, storedKeyLedger } from './key-ledger.ts';
import { signReceipt } from './receipt.ts';

export const bootId = new Uint8Array(16).fill(0xb0);
export const technician = 'technician-of-the-day';
/** The credential secret that this device's TPM opens, whatever it is given. */
export const activatedSecret = new Uint8Array(32).fill(0xac);

const installed = {
  state: 'committed',
  release: {
    digest: new Uint8Array(32).fill(0xd1),
    counter: 1,
    floorEpoch: 1,
    imageBytes: 4096,
    verityRoot: new Uint8Array(32).fill(0x5e),
  },
  writtenSegments: 0,
  triesLeft: 0,
  mismatches: 0,
};

/** Slot a runs what was installed into it. */
export const installedSlots: SlotsReading = {
  running: 'a',
  runningRoot: installed.release.verityRoot,
  a: installed,
  b: { state: 'empty', writtenSegments: 0, triesLeft: 0, mismatches: 0 },
  floorEpoch: 1,
  slotBytes: 8192,
};

export const testPorts = (clock: Clock) => {
  const log = writeLog(sampleBoot);
  const registers = replayBank(unwrap(parseEventLog(log)), 'sha256');
  const registerOf = (pcr: number) => registers?.get(pcr) ?? new Uint8Array(32);
  const secret = seededRandom('device secret of a test').bytes(32);
  const store = memoryStore();
  const keys = sealedDeviceKeys(nodeCrypto, async () => ok({ secret: secret.slice(), counterBase: 1 }), {
    epochOf: storedEpochs(store),
  });
  const reboots: string[] = [];
  let counter = 1;
  const identity = { endorsementPublic: new Uint8Array(90).fill(0xe1), attestationPublic: new Uint8Array(90).fill(0xa1) };
  const ports: HandsPorts = {
    clock,
    keys,
    tpm: {
      identity: async () => ok(identity),
      activate: async () => ok(activatedSecret),
      quote: async (qualifyingData, pcrs) =>
        ok({
          attest: concat(qualifyingData, Uint8Array.from(pcrs)),
          signature: new Uint8Array(72),
          pcrValues: pcrs.map(registerOf),
        }),
      readCounter: async () => ok({ value: counter, base: 1 }),
      advanceCounter: async () => {
        counter += 1;
        return ok({ value: counter, base: 1 });
      },
    },
    bootLog: { read: async () => ok(log) },
    platform: { read: async () => ok({ kernelTaint: 0 }) },
    signals: memorySignals(),
    supply: { read: async () => ok({ isOnMains: true, isHot: false }) },
    ...memoryManaged(clock),
    ...noUpdates,
    slotStarter: { ...noUpdates.slotStarter, status: async () => ok(installedSlots) },
    floor: versionFloor(store),
    keyLedger: storedKeyLedger(store, keys, nodeCrypto),
    power: {
      reboot: async (cause) => {
        reboots.push(cause);
        return done;
      },
    },
    receipt: async () => {
      const visit = { technician, finishedMs: clock.nowMs(), steps: ['storage-root'], identity };
      const envelope = await signReceipt(nodeCrypto, keys, visit);
      return envelope.ok ? ok({ envelope: envelope.value, key: unwrap(await keys.publicKey('report', 1)) }) : envelope;
    },
  };
  return { ports, reboots, bootLog: log, pcrValues: attestedPcrs.map(registerOf) };
};

export interface TestHands extends AsyncDisposable {
  readonly hands: RemoteHands;
  readonly client: SocketClient<HandsMethods>;
  readonly reboots: readonly string[];
  readonly log: ReturnType<typeof memoryLog>;
  /** The hands end and start again: a new permit key, and another boot where one is named. */
  restart(bootId?: Uint8Array): Promise<void>;
  /** The hands end; nobody answers. */
  stop(): Promise<void>;
}

/** @param changed ports that a test replaces */
export const startTestHands = async (clock: Clock, changed: Partial<HandsPorts> = {}): Promise<TestHands> => {
  const directory = mkdtempSync(join(tmpdir(), 'enigm-hands-'));
  const path = join(directory, 'hands.sock');
  const random = seededRandom('lives of the hands');
  const log = memoryLog();
  const { ports, reboots } = testPorts(clock);
  const serve = async (inBoot: Uint8Array): Promise<SocketServer> => {
    const life = {
      bootId: inBoot,
      permitKey: random.bytes(32),
      isSimulated: true,
      isProvisioned: () => true,
      networkFault: () => undefined,
    };
    const door = handsDoor({ ...ports, ...changed }, life);
    const onRefusal = (method: string, fault: { readonly category: string; readonly reason: string }) =>
      log.warn('call.refused', { method, code: `${fault.category}/${fault.reason}` });
    return unwrap(await serveSocket(dispatcher(handsMethods, door.handlers, { guard: door.guard, onRefusal }), { path, log }));
  };
  let server: SocketServer | undefined = await serve(bootId);
  const client = socketClient(handsMethods, path);
  const stop = async () => {
    await server?.close();
    server = undefined;
  };
  return {
    hands: remoteHands(client),
    client,
    reboots,
    log,
    stop,
    async restart(inBoot = bootId) {
      await stop();
      server = await serve(inBoot);
      // The client notices a lost connection with its next call at the latest.
      for (let call = 0; call < 3; call += 1) if ((await client.call('hands.hello', {})).ok) return;
    },
    async [Symbol.asyncDispose]() {
      client.close();
      await stop();
      rmSync(directory, { recursive: true });
    },
  };
};
