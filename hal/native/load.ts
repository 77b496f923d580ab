/** Loading the addon *node-tpm2-tss* from an explicit path: programs are bundles, so nothing is resolved by name. */
import { constants } from 'node:os';
import { attempt, deny, ok, type Result } from '#hal/core/result';

export interface Addon {
  /** Which build this is; a release program refuses the one for simulators (SR-04). */
  readonly build: 'release' | 'sim';
  readonly Esys: new (transport: Transport, ...options: readonly (string | number | boolean)[]) => NativeEsys;
  /** SO_PEERCRED of a connected unix socket. */
  readonly peer: (fileDescriptor: number) => PeerCredentials;
  /** SHA-256 of the salt and each block of 4 KiB, side by side. */
  readonly blockDigests: (salt: Uint8Array, blocks: Uint8Array) => Uint8Array;
  /** One program of those compiled in, by its whole path, without a shell. */
  readonly run: (words: readonly string[], input: string) => Promise<ProgramEnd>;
  /** Build `sim` only: one structure through libtss2-mu and back. */
  readonly mu?: (structure: string, bytes: Uint8Array) => Uint8Array;
}

/** The process that connected, as the kernel noted it then. */
export interface PeerCredentials {
  readonly processId: number;
  readonly userId: number;
  readonly groupId: number;
}

/** How a program ended: its exit code, or 128 and the signal; and what it said, at most 4 MiB. */
export interface ProgramEnd {
  readonly status: number;
  readonly output: string;
}

/** `socket-path`, `socket-tcp` and `embedded` are known to the build for simulators only. */
export type Transport = 'device' | 'socket-path' | 'socket-tcp' | 'embedded';

/** The class in C++: one method for each ESYS function, by its name there, with the arguments of the C function. */
export type NativeEsys = Readonly<Record<string, NativeMethod | undefined>> & {
  readonly open: () => Promise<void>;
  readonly transmit: (command: Uint8Array) => Promise<Uint8Array>;
  readonly close: () => Promise<void>;
};
type NativeMethod = (...values: readonly never[]) => Promise<unknown>;

/**
 * RTLD_DEEPBIND: Node exports the symbols of its own OpenSSL, and without the flag libtss2-esys and the inner calls of
 * Debian's libcrypto would bind to them: half of one version, half of another.
 * @returns the addon, or `unavailable/tpm-missing` with what to do about it
 */
export const loadAddon = (path: string, build: Addon['build']): Result<Addon> => {
  const module: { exports: Partial<Addon> } = { exports: {} };
  const loaded = attempt(
    () => process.dlopen(module, path, constants.dlopen.RTLD_NOW | constants.dlopen.RTLD_DEEPBIND),
    (cause) => deny('unavailable', 'tpm-missing', `cannot load the TPM addon (built by tools/build/addon.ts): ${cause}`),
  );
  if (!loaded.ok) return loaded;
  return module.exports.build === build
    ? ok(module.exports as Addon)
    : deny('unavailable', 'tpm-missing', `${path} is not the ${build} build of the TPM addon`);
};
