/** The hands' side of the door: ports in, handlers out, and the guard that checks permits (SR-01). */

import { checkPermit } from '#hal/core/permit';
import { codeOf, deny, done, type Fault, ok, type Result } from '#hal/core/result';
import type { BootLog } from '#hal/ports/boot-log';
import type { Clock } from '#hal/ports/clock';
import type { Platform } from '#hal/ports/platform';
import type { Power } from '#hal/ports/power';
import type { Signals } from '#hal/ports/signals';
import type { Supply } from '#hal/ports/supply';
import type { Tpm } from '#hal/ports/tpm';
import type { UpdatePorts } from '#hal/ports/updater';
import type { Guard } from '#hal/remote/dispatcher';
import type { HandsMethods } from '#hal/remote/hands-methods';
import { type KeysPorts, keysHandlers } from '#hal/remote/keys-door';
import { type ManagedPorts, managedHandlers } from '#hal/remote/managed-door';
import type { Handlers } from '#hal/remote/methods';
import { updateHandlers } from '#hal/remote/update-door';
import type { Receipt } from '#protos/gen/types';

/** The receipt of the visit that provisioned this device. */
export type ReadReceipt = () => Promise<Result<Receipt>>;

export interface HandsPorts extends ManagedPorts, UpdatePorts, KeysPorts {
  readonly tpm: Tpm;
  readonly bootLog: BootLog;
  readonly platform: Platform;
  readonly signals: Signals;
  readonly supply: Supply;
  readonly power: Power;
  readonly clock: Clock;
  readonly receipt: ReadReceipt;
}

export interface HandsLife {
  readonly bootId: Uint8Array;
  /** Made at each start of the hands, given to the mind over the socket, kept in memory only. */
  readonly permitKey: Uint8Array;
  readonly isSimulated: boolean;
  readonly isProvisioned: () => boolean;
  /** Why nothing passes between device and network, where the policy from before could not be put in force. */
  readonly networkFault: () => Fault | undefined;
  /** Why what the device keeps stays closed. */
  readonly dataFault?: Fault | undefined;
  /** SubjectPublicKeyInfo of the key that the mouth may use in the TPM, where there is one. */
  readonly linkKey?: () => Uint8Array | undefined;
}

const nothing = async <T>(result: Promise<Result<T>>): Promise<Result<Record<string, never>>> => {
  const settled = await result;
  return settled.ok ? ok({}) : settled;
};

export interface HandsDoor {
  readonly handlers: Handlers<HandsMethods>;
  readonly guard: Guard;
}

export const handsDoor = (ports: HandsPorts, life: HandsLife): HandsDoor => {
  const { tpm, bootLog, platform, signals, supply, power, clock, receipt } = ports;
  let lastSequence = 0;
  return {
    handlers: {
      'hands.hello': async () => {
        const networkFault = life.networkFault();
        const linkKey = life.linkKey?.();
        return ok({
          bootId: life.bootId,
          permitKey: life.permitKey,
          isProvisioned: life.isProvisioned(),
          isSimulated: life.isSimulated,
          lastSequence,
          ...(networkFault === undefined ? {} : { networkFault: codeOf(networkFault) }),
          ...(life.dataFault === undefined ? {} : { dataFault: codeOf(life.dataFault) }),
          ...(linkKey === undefined ? {} : { linkKey }),
        });
      },
      'tpm.identity': () => tpm.identity(),
      'tpm.activate': async (challenge) => {
        const secret = await tpm.activate(challenge);
        return secret.ok ? ok({ secret: secret.value }) : secret;
      },
      'tpm.quote': ({ qualifyingData, pcrs }) => tpm.quote(qualifyingData, pcrs),
      'tpm.readCounter': () => tpm.readCounter(),
      'tpm.advanceCounter': () => tpm.advanceCounter(),
      ...keysHandlers(ports),
      'bootLog.read': async () => {
        const log = await bootLog.read();
        return log.ok ? ok({ log: log.value }) : log;
      },
      'platform.read': () => platform.read(),
      'supply.read': () => supply.read(),
      'signals.take': async () => {
        const windows = await signals.take();
        return windows.ok ? ok({ windows: windows.value }) : windows;
      },
      'provision.receipt': () => receipt(),
      ...managedHandlers(ports),
      ...updateHandlers(ports),
      'power.reboot': ({ cause }) => nothing(power.reboot(cause)),
    },
    guard: (method, argumentBytes, permit) => {
      if (permit === undefined) return deny('authorization', 'permit-missing', method);
      const checked = checkPermit(life.permitKey, permit, {
        audience: method,
        arguments: argumentBytes,
        bootId: life.bootId,
        bootMs: clock.bootMs(),
        lastSequence,
      });
      if (!checked.ok) return checked;
      lastSequence = checked.value;
      return done;
    },
  };
};
