/** Drafts: an image for a slot, or one file of another class. Nobody has said anything of either yet. */
import { readFileSync } from 'node:fs';
import { manifestOf, releasePath } from '#agents/update/manifest';
import { encodeMessage } from '#hal/core/message';
import { attempt, deny, type Result } from '#hal/core/result';
import type { Image } from '#ota-client/payload/image';
import { targetEntry } from '#ota-client/repository/compose';
import { consistentPath } from '#ota-client/repository/files';
import { checkDraft, draftRelease } from '#ota-client/repository/publisher';
import type { ReleaseRecord } from '#ota-client/repository/release-record';
import { hasFloor } from '#ota-client/repository/succession';
import { grantPath } from '#ota-client/trust/field-grant';
import type { BundleClass } from '#ota-client/trust/release';
import { repairPath } from '#ota-client/trust/repair';
import { payloadOf, unsignedStatement } from './build.ts';
import { readBundleFile } from './bundle-file.ts';
import { keepDraft } from './draft-folder.ts';
import { withImages } from './image-files.ts';
import { atDesk, type OfficeParts } from './office.ts';

export interface DraftInput {
  readonly id: string;
  readonly class: BundleClass;
  readonly author: string;
  /** The image, or the file. */
  readonly file: string;
  /** Of a file that has a version of its own it may be left out. */
  readonly counter?: number;
  /** Of images. */
  readonly floorEpoch: number;
  /** One for an image; none for a file that is for all. */
  readonly hardware: readonly string[];
  /** Images from which devices come. */
  readonly bases: readonly string[];
}

/** Names under which all metadata is asked for and accepted, where a release has its id: the first of all, and all anew. */
export const founding = 'founding';
export const reissue = 'reissue';
export const isOfAll = (id: string): boolean => id === founding || id === reissue;

/** @param made segments of an image, of so many; what is made of the others may take hours */
export type Progress = (made: number, segments: number) => void;

/** @returns the draft; or `protocol/file-unreadable`, `protocol/config-invalid`, `integrity/target-mismatch`, and the faults of `draftRelease` */
export const addDraft = async (
  parts: OfficeParts,
  folder: string,
  input: DraftInput,
  progress?: Progress,
): Promise<Result<ReleaseRecord>> => {
  if (isOfAll(input.id)) return deny('protocol', 'event-refused', input.id);
  if (hasFloor(input))
    return withImages([input.file, ...input.bases], ([image, ...bases]) =>
      addImage(parts, folder, input, { image, bases, ...(progress === undefined ? {} : { progress }) }),
    );
  const bytes = readGivenFile(input.file);
  return bytes.ok ? addFile(parts, folder, input, bytes.value) : bytes;
};

interface ImageWork {
  readonly image: Image;
  readonly bases: readonly Image[];
  readonly progress?: Progress;
}

/** Its payload is made here, where the images are; of the target only the signed statement is missing. */
const addImage = async (
  parts: OfficeParts,
  folder: string,
  { id, class: name, author, counter, floorEpoch, hardware }: DraftInput,
  { image, ...work }: ImageWork,
): Promise<Result<ReleaseRecord>> => {
  const [board, ...more] = hardware;
  if (counter === undefined || board === undefined || more.length > 0)
    return deny('protocol', 'config-invalid', 'an image has a counter and one hardware class');
  const custom = { releaseCounter: counter, floorEpoch, hw: [board] };
  const draft = { id, class: name, author, custom, entries: [] };
  return atDesk(parts, folder, [], async (desk, { repository }) => {
    const allowed = checkDraft(desk, draft);
    if (!allowed.ok) return allowed;
    const stated = await unsignedStatement({ id, counter, floorEpoch, hardware: board, image });
    if (!stated.ok) return stated;
    const { payload: statement, index } = stated.value;
    const input = { id, target: image, index, level: smallestLevel, isForAnySource: true, ...work };
    const files = await payloadOf(input, repository.files.create);
    if (!files.ok) return files;
    const manifest = encodeMessage('ReleaseManifest', manifestOf({ statement, files: files.value }));
    const kept = keepDraft(folder, id, { statement, manifest });
    return kept.ok ? draftRelease(desk, draft) : kept;
  });
};

/** Whatever it costs here, once: every device downloads it. */
const smallestLevel = 19;

/** @returns the draft of what is no image; or as `addDraft` refuses */
export const addFile = (
  parts: OfficeParts,
  folder: string,
  { id, class: name, author, counter, hardware }: Omit<DraftInput, 'file' | 'floorEpoch' | 'bases'>,
  file: Uint8Array,
): Promise<Result<ReleaseRecord>> | Result<ReleaseRecord> => {
  const read = readBundleFile(name, file);
  if (!read.ok) return read;
  const { bytes, version } = read.value;
  const releaseCounter = version ?? counter;
  if (releaseCounter === undefined)
    return deny('protocol', 'config-invalid', `${name} has no version of its own: give a counter`);
  if (counter !== undefined && counter !== releaseCounter)
    return deny('integrity', 'target-mismatch', `version ${releaseCounter}, counter ${counter}`);
  const path = filePath(name, hardware);
  if (path === undefined) return deny('protocol', 'config-invalid', `${name}: one hardware class`);
  const custom = { releaseCounter, ...(hardware.length === 0 ? {} : { hw: hardware }) };
  const entry = targetEntry(parts.crypto, path, bytes, custom);
  const draft = { id, class: name, author, custom, entries: [entry] };
  return atDesk(parts, folder, [], async (desk, { repository }) => {
    const allowed = checkDraft(desk, draft);
    if (!allowed.ok) return allowed;
    const stored = await repository.files.put(consistentPath(entry), bytes);
    return stored.ok ? draftRelease(desk, draft) : stored;
  });
};

/** Where the target of a file lies; undefined for a grant that is not for one hardware class. */
const filePath = (name: BundleClass, hardware: readonly string[]): string | undefined => {
  if (name !== 'grants') return `${name}/current`;
  const [board, ...more] = hardware;
  return board === undefined || more.length > 0 ? undefined : grantPath(board);
};

/** Where the target of an image will lie. */
export const imagePath = (name: BundleClass, id: string, hardware: string): string =>
  name === 'repair' ? repairPath(hardware) : releasePath(id);

const readGivenFile = (path: string): Result<Uint8Array> =>
  attempt(
    () => new Uint8Array(readFileSync(path)),
    (cause) => deny('protocol', 'file-unreadable', cause),
  );
