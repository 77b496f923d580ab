/**
 * The key of the mouth's TLS, as the hands give it away: its wrapped file beside the filtered TPM, which alone can use it
 * (SR-02). Each epoch of the handle has a key of its own, so that none leads from one epoch to the next (SR-21).
 */
import { renameSync, rmSync, writeFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { socketPath } from '#agents/programs/layout';
import { inTurn } from '#hal/core/in-turn';
import { attempt, codeOf, deny, done, ok, type Result } from '#hal/core/result';
import { joinAreas, splitAreas, type WrappedAreas } from '#hal/native/areas';
import type { Esys } from '#hal/native/esys';
import { keyFile, publicKeyInfo } from '#hal/native/key-file';
import { persistent } from '#hal/native/layout';
import { createLinkKey } from '#hal/native/link-key';
import type { Clock } from '#hal/ports/clock';
import type { Log } from '#hal/ports/log';
import type { HandsFiles } from './files.ts';
import { serveTcti, type TctiServer } from './tcti-server.ts';

export interface LinkKeyParts {
  readonly esys: Esys;
  readonly files: Pick<HandsFiles, 'linkKey' | 'saveLinkKey' | 'isProvisioned'>;
  /** Of the handle. */
  readonly epoch: () => Result<number>;
  readonly clock: Clock;
  readonly log: Log;
  /** Of its sockets and its file. */
  readonly directory: string;
  readonly admits: (socket: Socket) => boolean;
}

export interface LinkKeyDoor {
  /** As provisioning keeps it. */
  stored(): WrappedAreas | undefined;
  /** Durable, and in the file of the mouth, before it returns. */
  save(key: WrappedAreas): Result<void>;
  /** SubjectPublicKeyInfo in DER; undefined while there is no key. */
  publicKey(): Uint8Array | undefined;
  /**
   * Another epoch: whoever used the key of the one before loses it, and finds another socket.
   * @returns nothing, or what the store, the TPM or the socket return
   */
  renew(): Promise<Result<void>>;
  close(): Promise<void>;
}

/** Of the hands, and of the group of its folder, which is the mouth's. No secret is in it. */
const keyFileMode = 0o640;

/** @returns the serving door, with a key or without; or why a socket cannot be bound */
export const openLinkKey = async (parts: LinkKeyParts): Promise<Result<LinkKeyDoor>> => {
  const { esys, files, epoch, clock, log, directory, admits } = parts;
  const filePath = socketPath(directory, 'tpmKey');
  const turn = inTurn();
  let key: WrappedAreas | undefined;
  let filter: TctiServer | undefined;

  const stored = (): WrappedAreas | undefined => {
    const present = epoch();
    const read = present.ok ? files.linkKey(present.value) : present;
    return read.ok ? splitAreas(read.value) : undefined;
  };
  const save = (made: WrappedAreas): Result<void> => {
    const present = epoch();
    if (!present.ok) return present;
    const saved = files.saveLinkKey(present.value, joinAreas(made));
    return saved.ok ? offer(made) : saved;
  };
  /** Whole or not at all: the mouth reads it whenever it likes. */
  const offer = (offered: WrappedAreas): Result<void> => {
    key = offered;
    return attempt(
      () => {
        writeFileSync(`${filePath}.new`, keyFile(offered, persistent.storageRoot), { mode: keyFileMode });
        renameSync(`${filePath}.new`, filePath);
      },
      (cause) => deny('unavailable', 'storage-failed', cause),
    );
  };
  /** What is kept; and where a device in use has none of this epoch, a new one. */
  const find = async (): Promise<Result<void>> => {
    const kept = stored();
    if (kept !== undefined) return offer(kept);
    if (!files.isProvisioned()) return done;
    const made = await createLinkKey(esys);
    return made.ok ? save(made.value) : made;
  };
  const close = async (): Promise<void> => {
    await filter?.close();
    filter = undefined;
    key = undefined;
    rmSync(filePath, { force: true });
  };
  const open = async (): Promise<Result<void>> => {
    await close();
    const found = await find();
    if (!found.ok) log.warn('link-key.missing', { code: codeOf(found.fault), cause: found.fault.detail ?? '' });
    const served = await serveTcti({
      ...{ path: socketPath(directory, 'tpm'), clock, log, admits },
      transmit: (command) => esys.transmit(command),
      allowedPublic: () => key?.publicArea,
      parentHandle: persistent.storageRoot,
    });
    if (!served.ok) {
      log.warn('link-key.not-served', { code: codeOf(served.fault), cause: served.fault.detail ?? '' });
      return served;
    }
    filter = served.value;
    return found;
  };

  const opened = await turn(open);
  if (filter === undefined && !opened.ok) return opened;
  return ok({
    ...{ stored, save },
    publicKey() {
      const info = key === undefined ? undefined : publicKeyInfo(key);
      return info?.ok === true ? info.value : undefined;
    },
    renew: () => turn(open),
    close: () => turn(close),
  });
};
