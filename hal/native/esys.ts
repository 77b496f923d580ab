/** An open TPM: every command of `commands.ts`, one queue, one thread. */
import { deny, ok, type Result } from '#hal/core/result';
import { bindCommands, type Commands } from './commands.ts';
import { type Addon, loadAddon, type NativeEsys } from './load.ts';
import { tpmResult } from './tpm-error.ts';

export interface Esys extends Commands, AsyncDisposable {
  /**
   * One raw command through the same transport and queue, for clients behind the filter (SR-02) and malformed commands.
   * ESYS does not see it: a handle that it flushes or an auth value that it changes stays as it was in `Commands`.
   * @param command at most 4096 bytes, not checked further
   * @returns the response, TPM_RC included, at most 4096 bytes
   */
  transmit(command: Uint8Array): Promise<Uint8Array>;
  /** Finish the command that runs, refuse those that wait, close the TPM. A second call waits for the first. */
  close(): Promise<void>;
}

export interface DeviceOptions {
  /** Absolute path of `tpm.node`. */
  readonly addon: string;
  /** Path of the character device: `/dev/tpmrm0`. */
  readonly device: string;
}

/**
 * Open the kernel's TPM device. At most 1024 commands wait at a time. After a failure of the transport every command
 * answers with that failure: close, and open again.
 * @returns the TPM, or `unavailable/tpm-missing`
 */
export const openEsys = async ({ addon, device }: DeviceOptions): Promise<Result<Esys>> => {
  const loaded = loadAddon(addon, 'release');
  return loaded.ok ? openNative(loaded.value, 'device', device) : loaded;
};

/** For the entry points: this file and `esys-sim.ts`. */
export const openNative = async (addon: Addon, ...options: ConstructorParameters<Addon['Esys']>): Promise<Result<Esys>> => {
  const native = new addon.Esys(...options);
  const opened = await tpmResult(native.open());
  if (opened.ok) return ok(esysOver(native));
  await native.close();
  return deny('unavailable', 'tpm-missing', opened.fault.detail);
};

const esysOver = (native: NativeEsys): Esys => {
  let closing: Promise<void> | undefined;
  const close = () => {
    closing ??= native.close();
    return closing;
  };
  return {
    ...bindCommands(native),
    transmit: (command) => native.transmit(command),
    close,
    [Symbol.asyncDispose]: close,
  };
};
