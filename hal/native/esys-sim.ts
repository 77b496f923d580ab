/** Software TPMs, for simulators and tests: never imported by a release program (SR-04). */
import { deny, ok, type Result } from '#hal/core/result';
import { type Esys, openNative } from './esys.ts';
import { loadAddon } from './load.ts';
import type { StructureName } from './structures.ts';
import { isTpmError } from './tpm-error.ts';

export type SimulatedOptions = {
  /** Absolute path of `tpm-sim.node`. */
  readonly addon: string;
} & (
  | {
      /** The command socket of a swtpm process; one connection for each command, so that others can use it too. */
      readonly swtpm: { readonly path: string } | { readonly host: string; readonly port: number };
    }
  | {
      /**
       * A TPM inside this process (libtpms); the directory of its state, made if missing. Opening is power on, closing
       * is power off. One opener at a time over all processes; any number of directories in one process.
       */
      readonly embedded: string;
      /** fsync after every change of the state; without it a power cut of the host may roll the TPM back. */
      readonly syncState?: boolean;
    }
  | {
      /** As `openEsys`, for tests that put a software TPM behind a device path. */
      readonly device: string;
    }
);

/** @returns the TPM (a new or power-cycled one wants `startup`), or `unavailable/tpm-missing` */
export const openSimulatedEsys = async (options: SimulatedOptions): Promise<Result<Esys>> => {
  const addon = loadAddon(options.addon, 'sim');
  if (!addon.ok) return addon;
  if ('device' in options) return openNative(addon.value, 'device', options.device);
  if ('embedded' in options) return openNative(addon.value, 'embedded', options.embedded, options.syncState === true);
  const { swtpm } = options;
  return 'path' in swtpm
    ? openNative(addon.value, 'socket-path', swtpm.path)
    : openNative(addon.value, 'socket-tcp', swtpm.host, swtpm.port);
};

/** One structure through libtss2-mu and back; undefined where libtss2-mu refuses the bytes, or does not read all of them. */
export type CodecOracle = (structure: StructureName, bytes: Uint8Array) => Uint8Array | undefined;

/** The differential oracle for a codec that was written here. @returns it, or `unavailable/tpm-missing` */
export const codecOracle = (addonPath: string): Result<CodecOracle> => {
  const addon = loadAddon(addonPath, 'sim');
  if (!addon.ok) return addon;
  const { mu } = addon.value;
  if (mu === undefined) return deny('unavailable', 'tpm-missing', `${addonPath} has no oracle`);
  return ok((structure, bytes) => {
    try {
      return mu(structure, bytes);
    } catch (error) {
      if (isTpmError(error)) return undefined;
      throw error;
    }
  });
};
