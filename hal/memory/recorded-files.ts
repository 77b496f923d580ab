/**
 * A folder in memory that writes down every call, and what a power cut may leave of it: names and contents are durable
 * apart. A file that was not synced may be empty, torn or whole under its name; a name that was not synced with its folder
 * may be the old one, the new one, or gone.
 *
 * Source: fsync(2): "does not necessarily ensure that the entry in the directory containing the file has also reached disk".
 */
import { toHex } from '#hal/core/bytes';
import type { FileCalls } from '#hal/linux/atomic-file';
import type { Random } from '#hal/ports/random';

/** What lies on the disk: contents by path. */
export type FolderState = ReadonlyMap<string, Uint8Array>;

export interface RecordedFiles extends FileCalls {
  /** Calls that change something or make it durable. */
  readonly operations: readonly FileOperation[];
  /** What programs see now. @returns undefined where there is no such file */
  read(path: string): Uint8Array | undefined;
}

export type FileOperation =
  | { readonly kind: 'remove'; readonly path: string }
  | { readonly kind: 'create'; readonly path: string; readonly file: number }
  | { readonly kind: 'write'; readonly file: number; readonly bytes: Uint8Array }
  | { readonly kind: 'rename'; readonly from: string; readonly to: string; readonly file: number }
  | { readonly kind: 'sync-file'; readonly file: number }
  | { readonly kind: 'sync-folder' };

const folderDescriptor = -1;

/** One folder. */
export const recordedFiles = (from: FolderState): RecordedFiles => {
  const operations: FileOperation[] = [];
  const contents: Uint8Array[] = [];
  const names = new Map<string, number>();
  for (const [path, bytes] of from) names.set(path, contents.push(bytes) - 1);
  const fileOf = (path: string): number => {
    const file = names.get(path);
    if (file === undefined) throw new Error(`ENOENT: ${path}`);
    return file;
  };
  return {
    operations,
    read(path) {
      const file = names.get(path);
      return file === undefined ? undefined : contents[file];
    },
    remove(path) {
      if (!names.delete(path)) return;
      operations.push({ kind: 'remove', path });
    },
    create(path) {
      if (names.has(path)) throw new Error(`EEXIST: ${path}`);
      const file = contents.push(new Uint8Array()) - 1;
      names.set(path, file);
      operations.push({ kind: 'create', path, file });
      return file;
    },
    write(file, bytes) {
      contents[file] = new Uint8Array(bytes);
      operations.push({ kind: 'write', file, bytes: new Uint8Array(bytes) });
    },
    sync(file) {
      operations.push(file === folderDescriptor ? { kind: 'sync-folder' } : { kind: 'sync-file', file });
    },
    close: () => undefined,
    rename(source, to) {
      const file = fileOf(source);
      names.delete(source);
      names.set(to, file);
      operations.push({ kind: 'rename', from: source, to, file });
    },
    openFolder: () => folderDescriptor,
  };
};

type NameChange = Extract<FileOperation, { readonly kind: 'remove' | 'create' | 'rename' }>;

export interface FolderCut {
  /** Operations that had begun; the last of them may be half done. */
  readonly atOperation: number;
  readonly state: FolderState;
}

/** Every state that a cut at any operation may leave: any subset of the names' changes, and of each unsynced file nothing, all, or torn. */
export function* folderStates(
  from: FolderState,
  operations: readonly FileOperation[],
  random: Random,
): Generator<FolderCut, void, undefined> {
  let durable = new Map<string, number>();
  const synced: Uint8Array[] = [];
  for (const [path, bytes] of from) durable.set(path, synced.push(bytes) - 1);
  const unsynced = new Map<number, Uint8Array>();
  let changes: NameChange[] = [];
  const told = new Set<string>();
  for (let atOperation = 0; atOperation <= operations.length; atOperation += 1) {
    const operation = operations[atOperation - 1];
    if (operation?.kind === 'remove' || operation?.kind === 'create' || operation?.kind === 'rename') changes.push(operation);
    if (operation?.kind === 'write') unsynced.set(operation.file, operation.bytes);
    for (let subset = 0; subset < 2 ** changes.length; subset += 1) {
      const names = renamed(
        durable,
        changes.filter((_, at) => (subset >> at) & 1),
      );
      for (const fate of ['dropped', 'kept', 'torn'] as const) {
        const contentOf = (file: number) => survivor(synced[file] ?? new Uint8Array(), unsynced.get(file), fate, random);
        const state = new Map([...names].map(([path, file]) => [path, contentOf(file)] as const));
        const name = folderName(state);
        if (told.has(name)) continue;
        told.add(name);
        yield { atOperation, state };
      }
    }
    if (operation?.kind === 'sync-file') {
      synced[operation.file] = unsynced.get(operation.file) ?? synced[operation.file] ?? new Uint8Array();
      unsynced.delete(operation.file);
    }
    if (operation?.kind === 'sync-folder') {
      durable = renamed(durable, changes);
      changes = [];
    }
  }
}

/** Equal for equal states, and for no others. */
export const folderName = (state: FolderState): string =>
  JSON.stringify([...state].map(([path, bytes]) => [path, toHex(bytes)]).toSorted());

const renamed = (names: ReadonlyMap<string, number>, changes: readonly NameChange[]): Map<string, number> => {
  const after = new Map(names);
  for (const change of changes) {
    if (change.kind === 'remove') after.delete(change.path);
    if (change.kind === 'create') after.set(change.path, change.file);
    if (change.kind === 'rename') {
      after.delete(change.from);
      after.set(change.to, change.file);
    }
  }
  return after;
};

/** A file that grew and was not synced may be empty, or have zeros where its bytes did not come to be. */
const survivor = (
  old: Uint8Array,
  next: Uint8Array | undefined,
  fate: 'dropped' | 'kept' | 'torn',
  random: Random,
): Uint8Array => {
  if (next === undefined || fate === 'dropped') return old;
  if (fate === 'kept') return next;
  const torn = new Uint8Array(next.length);
  const choices = random.bytes(Math.ceil(next.length / sectorBytes));
  for (const [sector, choice] of choices.entries())
    if ((choice & 1) === 1) torn.set(next.subarray(sector * sectorBytes, (sector + 1) * sectorBytes), sector * sectorBytes);
  return torn;
};
const sectorBytes = 512;
