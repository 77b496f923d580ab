/**
 * `DataVolume` by LUKS2 (cryptsetup(8)) and ext4. The sealed key is a token in the header, kept twice there; a volume
 * without it is unfinished.
 *
 * The passphrase is 32 random bytes, so stretching it would add nothing but time: PBKDF2 with the least that there is.
 */
import { spawnSync } from 'node:child_process';
import { closeSync, openSync, readSync } from 'node:fs';
import { fromBase64, toBase64, utf8 } from '#hal/core/bytes';
import { attempt, deny, done, ok, type Result } from '#hal/core/result';
import type { DataVolume, VolumeState } from '#hal/ports/data-volume';

export interface LuksPlaces {
  /** Block device of the partition. */
  readonly device: string;
  /** Under /dev/mapper. */
  readonly name: string;
  readonly mountPoint: string;
}

const tokenType = 'enigm-boot-sealed';
/** Both copies of the header and all key slots. */
const headerBytes = 1024 * 1024;
const limits = { timeout: 60_000, killSignal: 'SIGKILL', maxBuffer: 1024 * 1024 } as const;
/** There is no udev to wait for; messages are read by people. */
const env = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C', DM_DISABLE_UDEV: '1' } as const;

const format = [
  ...['luksFormat', '--batch-mode', '--type', 'luks2', '--cipher', 'aes-xts-plain64', '--key-size', '512', '--hash', 'sha256'],
  ...['--sector-size', '4096', '--pbkdf', 'pbkdf2', '--pbkdf-force-iterations', '1000'],
  ...['--luks2-metadata-size', '16k', '--luks2-keyslots-size', '512k'],
] as const;

export const luksVolume = ({ device, name, mountPoint }: LuksPlaces): DataVolume => {
  const mapped = `/dev/mapper/${name}`;
  const cryptsetup = (words: readonly string[], input?: Uint8Array) => run('/sbin/cryptsetup', words, input);
  const unlock = (key: Uint8Array) => cryptsetup(['open', '--type', 'luks2', '--key-file', '-', device, name], key);
  const mount = () => run('/bin/mount', ['-t', 'ext4', '-o', 'nosuid,nodev,noexec,noatime', mapped, mountPoint]);
  return {
    async inspect() {
      const zeros = isZero(device);
      if (!zeros.ok) return zeros;
      if (zeros.value) return ok({ is: 'empty' });
      const header = cryptsetup(['luksDump', '--dump-json-metadata', device]);
      return header.ok ? volumeState(header.value) : header;
    },
    make: async (key) =>
      inOrder(
        () => cryptsetup([...format, '--key-file', '-', device], key),
        () => unlock(key),
        () => run('/sbin/mke2fs', ['-q', '-t', 'ext4', '-m', '0', '-E', 'lazy_itable_init=1,lazy_journal_init=1', mapped]),
        mount,
      ),
    async finish(sealedKey) {
      const token = { type: tokenType, keyslots: ['0'], sealed: toBase64(sealedKey) };
      const words = ['token', 'import', '--token-id', '0', '--json-file', '-', device];
      return inOrder(() => cryptsetup(words, utf8(JSON.stringify(token))));
    },
    open: async (key) => inOrder(() => unlock(key), mount),
  };
};

/**
 * Anybody with the disk can write a token, and cryptsetup takes one with whatever in it: nothing but text is a sealed key. A
 * header without the object of tokens, which LUKS2 On-Disk Format §3 asks for, is no unfinished one: that would be made again.
 *
 * @param json header area of LUKS2
 * @returns the state, or `unavailable/storage-failed`
 */
export const volumeState = (json: string): Result<VolumeState> => {
  const header = attempt(() => JSON.parse(json) as unknown, failed);
  if (!header.ok) return header;
  const tokens = isObject(header.value) ? header.value['tokens'] : undefined;
  if (!isObject(tokens)) return failed('a header without tokens');
  const token = tokens['0'];
  if (token === undefined) return ok({ is: 'unfinished' });
  const sealed = isObject(token) && token['type'] === tokenType ? token['sealed'] : undefined;
  const sealedKey = typeof sealed === 'string' ? fromBase64(sealed) : undefined;
  return sealedKey === undefined ? failed('a token of another kind') : ok({ is: 'whole', sealedKey });
};

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> => typeof value === 'object' && value !== null;

const isZero = (device: string): Result<boolean> =>
  attempt(() => {
    const file = openSync(device, 'r');
    try {
      const bytes = new Uint8Array(headerBytes);
      if (readSync(file, bytes, 0, bytes.length, 0) !== bytes.length) throw new Error('the partition is too small');
      return bytes.every((byte) => byte === 0);
    } finally {
      closeSync(file);
    }
  }, failed);

const failed = (why: string) => deny('unavailable', 'storage-failed', why);

const run = (program: string, words: readonly string[], input?: Uint8Array): Result<string> => {
  const { status, error, stdout, stderr } = spawnSync(program, [...words], { ...limits, env, encoding: 'utf8', input });
  return status === 0 ? ok(stdout) : failed(`${program} ${words[0] ?? ''}: ${error?.message ?? stderr.trim().slice(0, 300)}`);
};

const inOrder = (...steps: readonly (() => Result<unknown>)[]): Result<void> => {
  for (const step of steps) {
    const taken = step();
    if (!taken.ok) return taken;
  }
  return done;
};
