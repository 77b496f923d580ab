/**
 * The memory of the policy engine after it read our policy, kept by the build: a start then has it without reading. To read it
 * is quick, but what reads it is half a megabyte of WebAssembly, which would be compiled for this once.
 *
 * Kept memory fits one engine and one policy. The build puts the digest of the engine into its file (a custom section,
 * WebAssembly core specification 2.0 §5.5.3) and both digests before the memory: what does not fit is not used. Beyond
 * that it is believed as the engine is.
 */
import { concat, concatAll, equalBytes, u32le, utf8 } from '#hal/core/bytes';
import { type WasmMemory, type WasmModule, type WasmTable, webAssembly } from '#hal/core/web-assembly';

/** An engine that was loaded. */
export interface EngineInstance {
  readonly module: WasmModule;
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

/** @param digest SHA-256 of it. @returns the same module, with its digest in it */
export const withDigest = (engine: Uint8Array, digest: Uint8Array): Uint8Array => {
  const content = concat(Uint8Array.of(section.length), utf8(section), digest);
  // Custom sections have id 0; lengths of less than 128 are one byte of LEB128.
  return concat(engine, Uint8Array.of(0, content.length), content);
};

/**
 * @param before memory of the engine as it was loaded. @param digests of the engine and of the policy, SHA-256
 * @returns both digests; pages, references and the bytes that follow, as 32 bits; each changed run: where it lies, how long it
 * is, its bytes
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
  return concat(...digests, u32le(after.length / pageBytes), u32le(references.length), u32le(changed.length), changed);
};

/** @returns whether the engine has it now; without, it is as it was loaded */
export const restoreMemory = ({ module, memory, references }: EngineInstance, kept: Uint8Array, policy: Uint8Array): boolean => {
  const [engine] = webAssembly.Module.customSections(module, section);
  const digests = engine === undefined ? undefined : concat(new Uint8Array(engine), policy);
  if (digests?.length !== 2 * digestBytes || !equalBytes(digests, kept.subarray(0, digests.length))) return false;
  const plan = planOf(kept.subarray(digests.length));
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
