/**
 * The hands of a device: the one program with devices, put together from ports. Release and simulator differ only in
 * what they pass in here.
 */
import type { Socket } from 'node:net';
import { socketPath } from '#agents/programs/layout';
import { codeOf, type Fault, ok, type Result } from '#hal/core/result';
import { versionFloor } from '#hal/core/version-floor';
import type { CryptoBackend } from '#hal/crypto/backend';
import { collect } from '#hal/linux/collect';
import { sealedDeviceKeys } from '#hal/native/device-keys';
import { unsealSecret } from '#hal/native/device-secret';
import type { Esys } from '#hal/native/esys';
import { esysProvisioning, type FloorMaker } from '#hal/native/provisioning';
import { esysTpm } from '#hal/native/tpm';
import type { BootLog } from '#hal/ports/boot-log';
import type { Clock } from '#hal/ports/clock';
import type { DurableStore } from '#hal/ports/durable-store';
import type { KeyLedger } from '#hal/ports/key-ledger';
import type { Log } from '#hal/ports/log';
import type { Platform } from '#hal/ports/platform';
import type { Power } from '#hal/ports/power';
import type { Random } from '#hal/ports/random';
import type { Signals } from '#hal/ports/signals';
import type { Supply } from '#hal/ports/supply';
import type { UpdatePorts } from '#hal/ports/updater';
import { dispatcher } from '#hal/remote/dispatcher';
import { handsMethods } from '#hal/remote/hands-methods';
import { handsDoor } from '#hal/remote/hands-server';
import type { ManagedPorts } from '#hal/remote/managed-door';
import { relayMethods } from '#hal/remote/relay-methods';
import { serveSocket } from '#hal/remote/socket-server';
import { factoryDoor } from './factory-door.ts';
import { factoryMethods } from './factory-methods.ts';
import { handsFiles } from './files.ts';
import { keptNetwork } from './kept-network.ts';
import { handleEpoch, storedEpochs, storedKeyLedger } from './key-ledger.ts';
import { type LinkKeyDoor, openLinkKey } from './link-key-door.ts';
import { relayDoor } from './relay-door.ts';

export interface HandsOptions {
  readonly esys: Esys;
  readonly crypto: CryptoBackend;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly bootLog: BootLog;
  readonly platform: Platform;
  readonly signals: Signals;
  readonly supply: Supply;
  readonly power: Power;
  readonly managed: Omit<ManagedPorts, 'floor'>;
  readonly updates: UpdatePorts;
  /** The floor of releases in the TPM; absent where nobody approved one for this class of machines. */
  readonly floor?: FloorMaker | undefined;
  /** 16 bytes, new at each boot of the machine. */
  readonly bootId: Uint8Array;
  readonly isSimulated: boolean;
  /** Where the hands keep what they keep. */
  readonly store: DurableStore;
  /** Why the device's own data stays closed; then nothing is provisioned over it. */
  readonly dataFault?: Fault | undefined;
  /** Where the sockets are. */
  readonly runDirectory: string;
  /** Where those of the filtered TPM are, with the key of the mouth; beside the others where none is named. */
  readonly tpmDirectory?: string;
  /** SO_PEERCRED: whether the process at the other end may use this door. */
  readonly admits: (socket: Socket, door: Door) => boolean;
}

/** Who may come in: the mind, a technician, the network-facing program, the beacon relay. */
export type Door = 'mind' | 'factory' | 'mouth' | 'relay';

export interface Hands {
  close(): Promise<void>;
}

/** @returns the serving hands, or why a socket cannot be bound */
export const startHands = async (options: HandsOptions): Promise<Result<Hands>> => {
  const { esys, crypto, clock, random, log, bootLog, platform, signals, supply, power, bootId, isSimulated } = options;
  const files = handsFiles(options.store);
  const unseal = async () => {
    const sealed = files.sealedSecret();
    return sealed.ok ? unsealSecret(esys, sealed.value) : sealed;
  };
  const tpm = esysTpm(esys, crypto, unseal);
  const keys = sealedDeviceKeys(crypto, unseal, { epochOf: storedEpochs(options.store), collect });
  const onRefusal = (method: string, fault: Parameters<typeof codeOf>[0]) =>
    log.warn('call.refused', { method, code: codeOf(fault), ...(fault.detail === undefined ? {} : { detail: fault.detail }) });

  const receipt = async () => {
    const envelope = files.receipt();
    if (!envelope.ok) return envelope;
    // Signed before the device was provisioned, and keys rotate only afterwards.
    const key = await keys.publicKey('report', 1);
    return key.ok ? ok({ envelope: envelope.value, key: key.value }) : key;
  };
  const network = keptNetwork(options.managed.network, options.store);
  const restored = await network.restore();
  if (!restored.ok) log.error('network.not-in-force', { code: codeOf(restored.fault), cause: restored.fault.detail ?? '' });
  // A device that was provisioned before its programs knew of a floor gets it here, since no technician comes again.
  const defined = files.isProvisioned() ? await options.floor?.define() : undefined;
  if (defined?.ok === false) log.error('floor.none', { code: codeOf(defined.fault), cause: defined.fault.detail ?? '' });
  const servers: { close(): Promise<void> }[] = [];
  const linkKey = await openLinkKey({
    ...{ esys, files, clock, log, directory: options.tpmDirectory ?? options.runDirectory },
    epoch: () => handleEpoch(options.store),
    admits: (socket) => options.admits(socket, 'mouth'),
  });
  if (!linkKey.ok) return linkKey;
  servers.push(linkKey.value);
  const keyLedger = storedKeyLedger(options.store, keys, crypto);
  const door = handsDoor(
    {
      ...{ tpm, keys, bootLog, platform, signals, supply, power, clock, receipt },
      ...options.managed,
      network,
      ...options.updates,
      floor: versionFloor(options.store),
      keyLedger: { ...keyLedger, rotate: rotatedWith(keyLedger, linkKey.value) },
    },
    {
      ...{ bootId, permitKey: random.bytes(32), isSimulated, isProvisioned: files.isProvisioned },
      ...{ networkFault: network.fault, dataFault: options.dataFault, linkKey: linkKey.value.publicKey },
    },
  );
  const mind = await serveSocket(dispatcher(handsMethods, door.handlers, { guard: door.guard, onRefusal }), {
    path: socketPath(options.runDirectory, 'hands'),
    log,
    admits: (socket) => options.admits(socket, 'mind'),
  });
  if (!mind.ok) return mind;
  servers.push(mind.value);

  const relay = await serveSocket(
    dispatcher(relayMethods, relayDoor({ keys, crypto, random, isProvisioned: files.isProvisioned }), { onRefusal }),
    { path: socketPath(options.runDirectory, 'relay'), log, admits: (socket) => options.admits(socket, 'relay') },
  );
  if (!relay.ok) {
    await mind.value.close();
    return relay;
  }
  servers.push(relay.value);

  if (!files.isProvisioned()) {
    const provisioning = esysProvisioning({
      esys,
      crypto,
      random,
      unseal,
      saveSecret: files.saveSealedSecret,
      linkKey: linkKey.value.stored,
      saveLinkKey: linkKey.value.save,
      floor: options.floor,
    });
    const factory = await serveSocket(
      dispatcher(factoryMethods, factoryDoor({ provisioning, tpm, keys, crypto, clock, files, dataFault: options.dataFault }), {
        onRefusal,
      }),
      { path: socketPath(options.runDirectory, 'factory'), log, admits: (socket) => options.admits(socket, 'factory') },
    );
    if (!factory.ok) {
      for (const server of servers) await server.close();
      return factory;
    }
    servers.push(factory.value);
  }
  return ok({
    close: async () => {
      for (const server of servers) await server.close();
      await esys.close();
      options.store.close();
    },
  });
};

/** The handle's new epoch is kept when the link key follows: where it cannot, the next start makes it. */
const rotatedWith =
  ({ rotate }: KeyLedger, linkKey: LinkKeyDoor): KeyLedger['rotate'] =>
  async (rotation) => {
    const rotated = await rotate(rotation);
    if (rotated.ok && rotation.keyClass === 'handle') await linkKey.renew();
    return rotated;
  };
