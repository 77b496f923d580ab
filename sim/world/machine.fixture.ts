/** A machine in memory: the real door of the hands, permits included, over ports that need no hardware. */
import { createHash } from 'node:crypto';
import { installedSlots } from '#agents/hands/hands.fixture';

import { parseEventLog } from '#attestation/eventlog/parse';
import { replayBank } from '#attestation/eventlog/replay';
import { sampleBoot, writeLog } from '#attestation/eventlog/sample.fixture';
import { deny, done, ok, unwrap } from '#hal/core/result';
import { versionFloor } from '#hal/core/version-floor';
import { nodeCrypto } from '#hal/crypto/node';
import { hybridKeyPair, hybridSign, hybridSignatureSuites } from '#hal/crypto/suites';
import { noUpdates } from '#hal/linux/unsupported';
import { memoryStore } from '#hal/memory/durable-store';
import { emptyKeyLedger } from '#hal/memory/key-ledger';
import { memoryManaged } from '#hal/memory/managed';
import type { DeviceKeys } from '#hal/ports/device-keys';
import type { Exchange } from '#hal/ports/exchange';
import type { Random } from '#hal/ports/random';
import type { Tpm } from '#hal/ports/tpm';
import { type Dispatcher, dispatcher } from '#hal/remote/dispatcher';
import { answerExchange } from '#hal/remote/exchange-server';
import { handsMethods } from '#hal/remote/hands-methods';
import { type HandsPorts, handsDoor } from '#hal/remote/hands-server';
import { faultyExchange, type Weather } from './faults.ts';

export interface MemoryMachine {
  /** To the hands, whichever life they are in. */
  readonly hands: Exchange;
  readonly bootId: () => Uint8Array;
  /** Causes of the restarts that were really done. */
  readonly restarts: readonly string[];
  readonly counter: () => number;
  areHandsDown: boolean;
  /** A new life: another permit key, sequence 0; the TPM and the boot go on. */
  restartHands(): void;
  /** A new boot, and so new hands. */
  reboot(): void;
}

const counterBase = 7;
const none = new Uint8Array(1);

export const memoryMachine = (weather: Weather, random: Random): MemoryMachine => {
  const keys = new Map<string, ReturnType<typeof hybridKeyPair>>();
  const pairOf = (keyClass: string) => {
    const known = keys.get(keyClass) ?? hybridKeyPair(nodeCrypto, hybridSignatureSuites['enigm-ed25519-mldsa65'], random);
    keys.set(keyClass, known);
    return known;
  };
  const log = writeLog(sampleBoot);
  const registers = replayBank(unwrap(parseEventLog(log)), 'sha256');
  let counter = counterBase;
  let bootId = random.bytes(16);
  let life: Dispatcher;
  const restarts: string[] = [];

  const tpm: Tpm = {
    identity: async () => ok({ endorsementPublic: none, attestationPublic: none }),
    activate: async () => ok(none),
    quote: async (_, pcrs) =>
      ok({ attest: none, signature: none, pcrValues: pcrs.map((pcr) => registers?.get(pcr) ?? new Uint8Array(32)) }),
    readCounter: async () => ok({ value: counter, base: counterBase }),
    advanceCounter: async () => {
      counter += 1;
      return ok({ value: counter, base: counterBase });
    },
  };
  const deviceKeys: DeviceKeys = {
    publicKey: async (keyClass) => ok(pairOf(keyClass).publicKey),
    sign: async (keyClass, message) => ok(hybridSign(nodeCrypto, pairOf(keyClass).secretKey, message)),
    handle: async (relyingParty, epoch) => ok(handleOf(relyingParty, epoch)),
  };
  const restartHands = () => {
    // Ports that this world does not use are not there: a call to one is an error of whoever wrote the world.
    const door = handsDoor(
      {
        tpm,
        keys: deviceKeys,
        clock: weather.clock,
        ...memoryManaged(weather.clock),
        floor: versionFloor(memoryStore()),
        keyLedger: emptyKeyLedger,
        slotStarter: { ...noUpdates.slotStarter, status: async () => ok(installedSlots) },
        bootLog: { read: async () => ok(log) },
        platform: { read: async () => ok({}) },
        power: {
          reboot: async (cause) => {
            restarts.push(cause);
            return done;
          },
        },
        receipt: async () => deny('unavailable', 'not-provisioned'),
      } satisfies Partial<HandsPorts> as Partial<HandsPorts> as HandsPorts,
      { bootId, permitKey: random.bytes(32), isSimulated: true, isProvisioned: () => true, networkFault: () => undefined },
    );
    life = dispatcher(handsMethods, door.handlers, { guard: door.guard });
  };
  restartHands();

  const machine: MemoryMachine = {
    areHandsDown: false,
    hands: faultyExchange(
      weather,
      () => machine.areHandsDown,
      (body) => answerExchange(life, body, new AbortController().signal),
    ),
    bootId: () => bootId,
    restarts,
    counter: () => counter,
    restartHands,
    reboot() {
      bootId = random.bytes(16);
      restartHands();
    },
  };
  return machine;
};

/** The pseudonym of this device. */
export const handleOf = (relyingParty: string, epoch: number): Uint8Array =>
  createHash('sha256').update(`${relyingParty} ${epoch}`).digest().subarray(0, 16);
