/**
 * What a scenario can do and see. The verbs are those of a person, a technician and an attacker; observations go by
 * public doors only: the command line, the app's door, files that the firmware wrote.
 */

import type { ApiMethods } from '#agents/api/methods';
import type { BeaconMethods } from '#agents/beacon/methods';
import type { Result } from '#hal/core/result';
import type { CallWindow } from '#hal/ports/signals';
import type { SlotName } from '#hal/ports/slots';
import type { Client } from '#hal/remote/methods';
import type { ReleaseFacts } from '#ota-client/slots/ledger';
import type { SupplyFacts } from '#protos/gen/types';
import type { BeaconPeers } from '#sim/peers/beacon';
import type { Enyra } from '#sim/peers/enyra';
import type { FleetPeers } from '#sim/peers/fleet';
import type { Issuer } from '#sim/peers/issuer';
import type { UpdatePeers } from '#sim/peers/updates';
import type { HostilePath } from '#sim/peers/verifier';

export interface World {
  /** The device of the day. */
  readonly device: Device;
  /** Another device of the same person, made ready when first asked for. */
  secondDevice(): Promise<Device>;
  readonly issuer: Issuer;
  /** The intelligence service. */
  readonly enyra: Enyra;
  /** The person: 16 bytes. */
  readonly subject: Uint8Array;
  /** A session of the account service, the same for the whole day: 16 bytes. */
  readonly session: Uint8Array;
  /** The pseudonym, at the account service, of the device on which the session of the day was opened. */
  sessionHandle(): Promise<Uint8Array>;
  /** From now on the session is one that was opened on the second device. */
  openSessionElsewhere(): Promise<void>;
  /** Somebody on the way to the verifier. */
  takePath(path: HostilePath): void;
  /** Command, its repository and the broker between it and devices. */
  readonly fleet: FleetPeers;
  /** What becomes of the releases of the day; sabotage changes it. */
  readonly fate: Fate;
  /** Where releases come from, and the director that names them. */
  readonly updates: UpdatePeers;
  /** From now on the verifier knows what a device with this release measures. */
  knowRelease(release: { readonly id: string; readonly facts: ReleaseFacts }): void;
  /** Somebody at the network of the first device, or why this machine allows none. */
  readonly network: Result<NetworkWitness>;
  /** The Key of the first device, its contacts, and the courier between. */
  readonly beacon: BeaconPeers;
  /** Evidence that passed so far. */
  readonly recordedEvidence: readonly Uint8Array[];
  /** Waits until the fact is true. @throws after the time, naming what did not happen */
  until(what: string, fact: () => Promise<boolean> | boolean, withinMs?: number): Promise<void>;
}

/** One hand at the device's own network, and one at its far end. */
export interface NetworkWitness {
  /** By what they are addresses of. */
  readonly addresses: Readonly<Record<string, string>>;
  /** Packet rules that are not ours. */
  addForeignTable(): Promise<void>;
  hasForeignTable(): Promise<boolean>;
  /** Sends a word from the device. @returns whether it arrived */
  packetArrives(word: string): Promise<boolean>;
}

export interface Fate {
  /** Its trial does not pass the health gate. */
  isUnhealthy: boolean;
  /** How many of a thousand devices it is offered to. */
  permille: number;
  /** The power is cut before its trial, and one bit of its slot rots meanwhile. */
  rotsBeforeTrial: boolean;
  /** The release of the day is in no log: nobody waits for its install to be under way. */
  isUnlogged: boolean;
  /** Its battery is left empty when it is offered. */
  isEmpty: boolean;
  /** How many of the two custodians sign the repair release. */
  repairSigners: 1 | 2;
}

export interface Device {
  readonly name: string;
  readonly directory: string;
  /** Runs `enigmctl` as a process against this device. */
  enigmctl(...words: readonly string[]): Promise<CommandOutcome>;
  /** The Enigm App's door. */
  readonly app: Pick<Client<ApiMethods>, 'call' | 'subscribe'>;
  /** The beacon relay's door; nobody is there where no Key belongs to the device. */
  readonly relay: Pick<Client<BeaconMethods>, 'call'>;
  /** The firmware's log, as a file. */
  readonly bootLogPath: string;
  /** What the beacon relay keeps, as a file. */
  relayStore(): Promise<string>;
  readonly auditPath: string;
  /** How its charger and its battery stand from now on, and its heat. */
  feed(facts: SupplyFacts): void;
  bootId(): string;
  /** Recorded system calls, as if its own programs had made them. */
  observe(windows: readonly CallWindow[]): void;
  powerOn(): Promise<void>;
  powerOff(): Promise<void>;
  powerCut(): Promise<void>;
  /** No slot started: nothing runs until somebody switches it on again. */
  isDead(): boolean;
  /** While this release runs, its storage is found not to be writable. */
  breakHealth(verityRoot: Uint8Array): void;
  mendHealth(verityRoot: Uint8Array): void;
  /** One bit of a slot rots; the device is off, or does not run from it. */
  flipBit(slot: SlotName, offsetBytes: number): void;
  /** Waits until the mind answers, provisioned or not. */
  answers(): Promise<void>;
  pause(program: 'linkd' | 'hald' | 'agentd' | 'inferd'): void;
  resume(program: 'linkd' | 'hald' | 'agentd' | 'inferd'): void;
  kill(program: 'linkd' | 'hald' | 'agentd' | 'inferd'): void;
  /** Copies the TPM's memory away; the device is off. */
  saveTpm(): void;
  /** Puts the copy back; the device is off. */
  restoreTpm(): void;
}

export interface CommandOutcome {
  readonly code: number;
  /** The one JSON object of `--json`. */
  readonly json: Readonly<Record<string, unknown>>;
  readonly said: string;
}
