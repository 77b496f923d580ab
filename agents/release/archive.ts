/** What a technician carries: the newest metadata of a repository and all that it names, in one file that any tar can read. */
import { closeSync, fsyncSync, openSync, readSync, renameSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { readManifest } from '#agents/update/manifest';
import { attempt, deny, done, ok, type Result } from '#hal/core/result';
import { nodeCrypto } from '#hal/crypto/node';
import type { PayloadFiles } from '#ota-client/payload/files';
import { consistentPath, metadataPath, type StaticFiles } from '#ota-client/repository/files';
import { statementDigest } from '#ota-client/repository/log-entries';
import { type LogEntry, proofPath } from '#ota-client/transparency/entry';
import { deviceSchemes } from '#ota-client/trust/keys';
import { readRoot, readSnapshot, readTargets, readTimestamp } from '#ota-client/trust/metadata';
import { blockBytes, encodeTarHeader, paddingBytes } from './tar.ts';

const copyBytes = 1024 * 1024;
const maxFiles = 16_384;

/** Beside what is published: the director's part, for a device that is to take it under a grant. */
export interface AddedFile {
  readonly path: string;
  readonly bytes: Uint8Array;
}

export interface Archived {
  readonly files: number;
  readonly lengthBytes: number;
}

/**
 * In bounded memory; the file is there when it is whole. What is added comes first.
 * @param folder of the repository
 * @returns how much it is; or `unavailable/not-found` where nothing is published, `protocol/field-invalid`, `unavailable/storage-failed`
 */
export const writeArchive = async (
  files: StaticFiles,
  folder: string,
  out: string,
  added: readonly AddedFile[] = [],
): Promise<Result<Archived>> => {
  const paths = await carriedPaths(files);
  if (!paths.ok) return paths;
  const written = attempt(
    () => copyAll(folder, paths.value, added, `${out}.new`),
    (cause) => deny('unavailable', 'storage-failed', cause),
  );
  const total = written.ok ? written.value : written;
  if (!total.ok) return total;
  renameSync(`${out}.new`, out);
  return ok({ files: paths.value.length + added.length, lengthBytes: total.value });
};

const copyAll = (folder: string, paths: readonly string[], added: readonly AddedFile[], out: string): Result<number> => {
  const target = openSync(out, 'w', 0o644);
  try {
    let total = 0;
    const put = (bytes: Uint8Array) => {
      for (let offset = 0; offset < bytes.length; ) offset += writeSync(target, bytes, offset);
      total += bytes.length;
    };
    const entry = (path: string, lengthBytes: number, copy: () => void): Result<void> => {
      const header = encodeTarHeader({ path, lengthBytes });
      if (!header.ok) return header;
      put(header.value);
      copy();
      put(new Uint8Array(paddingBytes(lengthBytes)));
      return done;
    };
    for (const { path, bytes } of added) {
      const written = entry(path, bytes.length, () => put(bytes));
      if (!written.ok) return written;
    }
    for (const path of paths) {
      const place = join(folder, path);
      const lengthBytes = statSync(place).size;
      const written = entry(path, lengthBytes, () => copyFile(place, lengthBytes, put));
      if (!written.ok) return written;
    }
    put(new Uint8Array(2 * blockBytes));
    fsyncSync(target);
    return ok(total);
  } finally {
    closeSync(target);
  }
};

const copyFile = (path: string, lengthBytes: number, put: (bytes: Uint8Array) => void): void => {
  const source = openSync(path, 'r');
  const buffer = new Uint8Array(copyBytes);
  try {
    for (let left = lengthBytes; left > 0; ) {
      const read = readSync(source, buffer, 0, Math.min(left, copyBytes), null);
      if (read === 0) throw new Error(`${path} became shorter`);
      put(buffer.subarray(0, read));
      left -= read;
    }
  } finally {
    closeSync(source);
  }
};

/** Every root, since each is trusted by the one before; of the rest what the newest timestamp leads to. */
const carriedPaths = async (files: StaticFiles): Promise<Result<readonly string[]>> => {
  const paths: string[] = [];
  const read = async (path: string): Promise<Result<Uint8Array>> => {
    const bytes = await files.get(path);
    if (!bytes.ok) return bytes;
    if (bytes.value === undefined) return deny('unavailable', 'not-found', path);
    paths.push(path);
    return ok(bytes.value);
  };
  /** Where the log of releases has it: a device without a network is shown the same. */
  const proof = async (entry: LogEntry): Promise<Result<void>> => {
    const size = await files.size(proofPath(entry));
    if (size.ok && size.value !== undefined) paths.push(proofPath(entry));
    return size.ok ? done : size;
  };
  const root = await read(metadataPath('root.json'));
  if (!root.ok) return root;
  const rooted = readRoot(root.value, deviceSchemes);
  if (!rooted.ok) return rooted;
  for (let version = 1; version <= rooted.value.content.version; version += 1) paths.push(metadataPath(`${version}.root.json`));
  const timestampBytes = await read(metadataPath('timestamp.json'));
  const timestamp = timestampBytes.ok ? readTimestamp(timestampBytes.value, deviceSchemes) : timestampBytes;
  if (!timestamp.ok) return timestamp;
  const { version } = timestamp.value.content.meta['snapshot.json'];
  const snapshotBytes = await read(metadataPath(`${version}.snapshot.json`));
  const snapshot = snapshotBytes.ok ? readSnapshot(snapshotBytes.value, deviceSchemes) : snapshotBytes;
  if (!snapshot.ok) return snapshot;
  for (const [name, meta] of snapshot.value.content.meta) {
    const listBytes = await read(metadataPath(`${meta.version}.${name}`));
    if (!listBytes.ok) return listBytes;
    const list = readTargets(listBytes.value, deviceSchemes);
    if (!list.ok) return list;
    const logged = await proof({ kind: 'targets', digest: nodeCrypto.hash('sha256', listBytes.value) });
    if (!logged.ok) return logged;
    for (const [path, { hashes }] of list.value.content.targets) {
      const target = await read(consistentPath({ path, sha256: hashes.get('sha256') ?? '' }));
      if (!target.ok) return target;
      if (!/^(?:os|repair)\//.test(path)) continue;
      const manifest = readManifest(target.value);
      if (!manifest.ok) return manifest;
      paths.push(...payloadPaths(manifest.value.files));
      const digest = statementDigest(nodeCrypto, manifest.value.statement);
      const stated = digest.ok ? await proof({ kind: 'statement', digest: digest.value }) : digest;
      if (!stated.ok) return stated;
    }
    if (paths.length > maxFiles) return deny('resource', 'count-limit', `${maxFiles} files`);
  }
  return ok([...new Set(paths)].toSorted());
};

const payloadPaths = ({ index, full, pairs, units }: PayloadFiles): readonly string[] => [
  index.path,
  ...[full, ...pairs].flatMap(({ recipe, piecesPath }) => [recipe.path, piecesPath]),
  ...(units === undefined ? [] : [units.locator.path, units.piecesPath]),
];
