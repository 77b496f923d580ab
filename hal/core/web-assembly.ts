/** What is used here of the WebAssembly JavaScript Interface 2.0: Node's types do not have it. */
export interface WasmMemory {
  readonly buffer: ArrayBuffer;
  grow(pages: number): number;
}

export interface WasmTable {
  readonly length: number;
  grow(entries: number): number;
}

/** Compiled; nothing but this interface looks into it. */
export type WasmModule = object;

interface WebAssemblyInterface {
  Instance: new (module: WasmModule, imports: object) => { readonly exports: Readonly<Record<string, unknown>> };
  Module: new (bytes: Uint8Array) => WasmModule;
  readonly Memory: new (of: { readonly initial: number }) => WasmMemory;
  readonly Table: new (of: { readonly initial: number; readonly element: 'externref' }) => WasmTable;
}

export const { WebAssembly: webAssembly } = globalThis as unknown as { readonly WebAssembly: WebAssemblyInterface };
