/**
 * The memory of the policy engine after it read our policy, kept by the build: a start then has it without reading. To read it
 * is quick, but what reads it is half a megabyte of WebAssembly, which would be compiled for this once.
 *
 * Kept memory fits one engine and one policy. The build puts the digest of the engine into its file (a custom section,
 * WebAssembly core specification 2.0 §5.5.3), and that, the digest of the policy and one of the memory before the memory. What
 * does not fit, or is not as it was written, is not used. Whoever can write both files can also write the programs.
 */
import { hash } from 'node:crypto';
import { concat, concatAll, equalBytes, u32le, utf8 } from '#hal/core/bytes';
import type { WasmMemory, WasmTable } from '#hal/core/web-assembly';

/** An engine that was loaded. */
export interface EngineInstance {
  /** Of its file, where a build put it there. */
  readonly digest?: Uint8Array;
  readonly memory: WasmMemory;
  /** Of what JavaScript gave to it (wasm-bindgen). */
  readonly references: WasmTable;
}

/** Beside the programs. */
export const keptMemoryName = 'policy.memory';

const section = 'enigm.digest';
const digestBytes = 32;
const pageBytes = 64 * 1024;
/** Before the runs. */
const headBytes = 12;
/** What is looked at, and kept, at once. */
const blockBytes = 1024;
const limits = { pages: 1024, references: 65_536 } as const;

const sha256 = (bytes: Uint8Array): Uint8Array => new Uint8Array(hash('sha256', bytes, 'buffer'));

/** Of the section, up to the digest. Custom sections have id 0; lengths of less than 128 are one byte of LEB128. */
const sectionHead = concat(Uint8Array.of(0, 1 + section.length + digestBytes, section.length), utf8(section));

/** @returns the same module, with its digest (SHA-256) behind it */
export const withDigest = (engine: Uint8Array): Uint8Array => concat(engine, sectionHead, sha256(engine));

/** @returns the digest that `withDigest` put there, or undefined where nothing did. Throws where the file is another one since */
export const builtDigest = (file: Uint8Array): Uint8Array | undefined => {
  const engineBytes = Math.max(0, file.length - digestBytes - sectionHead.length);
  const digest = file.slice(engineBytes + sectionHead.length);
  if (!equalBytes(file.subarray(engineBytes, engineBytes + sectionHead.length), sectionHead)) return undefined;
  if (!equalBytes(sha256(file.subarray(0, engineBytes)), digest)) throw new Error('the policy engine is damaged');
  return digest;
};

/**
 * @param before memory of the engine as it was loaded. @param digests of the engine and of the policy, SHA-256
 * @returns both digests, and that of what follows them; pages, references and the bytes that follow, as 32 bits; each changed
 * run: where it lies, how long it is, its bytes
 */
export const keptMemory = (
  { memory, references }: EngineInstance,
  before: Uint8Array,
  digests: readonly [engine: Uint8Array, policy: Uint8Array],
): Uint8Array => {
  const after = new Uint8Array(memory.buffer);
  const isChanged = (at: number): boolean => {
    const block = after.subarray(at, at + blockBytes);
    return at < before.length ? !equalBytes(block, before.subarray(at, at + blockBytes)) : block.some((byte) => byte !== 0);
  };
  const runs: Uint8Array[] = [];
  for (let at = 0; at < after.length; at += blockBytes) {
    const from = at;
    while (at < after.length && isChanged(at)) at += blockBytes;
    if (at > from) runs.push(u32le(from), u32le(at - from), after.slice(from, at));
  }
  const changed = concatAll(runs);
  const kept = concat(u32le(after.length / pageBytes), u32le(references.length), u32le(changed.length), changed);
  return concat(...digests, sha256(kept), kept);
};

/** @returns whether the engine has it now; without, it is as it was loaded */
export const restoreMemory = ({ digest, memory, references }: EngineInstance, kept: Uint8Array, policy: Uint8Array): boolean => {
  const content = kept.subarray(3 * digestBytes);
  if (digest === undefined || !equalBytes(concat(digest, policy, sha256(content)), kept.subarray(0, 3 * digestBytes)))
    return false;
  const plan = planOf(content);
  const morePages = plan === undefined ? -1 : plan.pages - memory.buffer.byteLength / pageBytes;
  const moreReferences = plan === undefined ? -1 : plan.references - references.length;
  if (plan === undefined || morePages < 0 || moreReferences < 0) return false;
  memory.grow(morePages);
  references.grow(moreReferences);
  const bytes = new Uint8Array(memory.buffer);
  for (const { at, run } of plan.runs) bytes.set(run, at);
  return true;
};

interface Plan {
  readonly pages: number;
  readonly references: number;
  readonly runs: readonly { readonly at: number; readonly run: Uint8Array }[];
}

/** @returns undefined where it is not whole */
const planOf = (kept: Uint8Array): Plan | undefined => {
  const view = new DataView(kept.buffer, kept.byteOffset, kept.byteLength);
  if (kept.length < headBytes) return undefined;
  const [pages, references] = [view.getUint32(0, true), view.getUint32(4, true)];
  if (pages > limits.pages || references > limits.references) return undefined;
  if (kept.length !== headBytes + view.getUint32(8, true)) return undefined;
  const runs: { at: number; run: Uint8Array }[] = [];
  let read = headBytes;
  while (read < kept.length) {
    if (kept.length - read < 8) return undefined;
    const [at, length] = [view.getUint32(read, true), view.getUint32(read + 4, true)];
    const run = kept.subarray(read + 8, read + 8 + length);
    if (run.length !== length || at + length > pages * pageBytes) return undefined;
    runs.push({ at, run });
    read += 8 + length;
  }
  return { pages, references, runs };
};
