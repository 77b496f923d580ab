/**
 * Which tensor engine works on this machine: native TensorFlow where somebody installed it, else WebAssembly, else
 * plain JavaScript. Each must pass the same self-test; none may stop an install or a boot.
 *
 * `@tensorflow/tfjs-node` is not in our lock: its install downloads a library that no lock covers. Where it is there,
 * it gets the two functions that its last release (4.22.0) misses on Node ≥ 23 (tensorflow/tfjs pull 8425).
 */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { causeOf, deny, ok, type Result } from '#hal/core/result';
import type { EngineReport } from '#hal/ports/inference';

/** The part of TensorFlow.js that the self-test and the scoring of windows need. */
export interface Tensors {
  readonly version_core: string;
  tidy<T>(work: () => T): T;
  tensor2d(values: readonly number[] | Float32Array, shape: readonly [number, number]): Tensor;
  matMul(a: Tensor, b: Tensor): Tensor;
  sub(a: Tensor, b: Tensor): Tensor;
  sigmoid(of: Tensor): Tensor;
  setBackend(name: string): Promise<boolean>;
  ready(): Promise<void>;
}

export interface Tensor {
  dataSync(): ArrayLike<number>;
}

/** An engine that passed its self-test. */
export interface WorkingEngine {
  readonly report: EngineReport;
  readonly tensors: Tensors;
}

interface Candidate {
  readonly engine: string;
  /** Loads the engine; throws where it cannot. */
  load(resourceDirectory: string): Promise<Tensors>;
}

const candidates: readonly Candidate[] = [
  {
    engine: 'tensorflow',
    load: async (resourceDirectory) => {
      const require = createRequire(join(resourceDirectory, 'engines.cjs'));
      const entry = require.resolve('@tensorflow/tfjs-node');
      if (!existsSync(join(dirname(entry), '../lib/napi-v8/tfjs_binding.node')))
        throw new Error('installed without its native library');
      addMissingUtilities(require('node:util') as Record<string, unknown>);
      return require(entry) as Tensors;
    },
  },
  {
    engine: 'wasm',
    load: async (resourceDirectory) => {
      const tensors = (await import('@tensorflow/tfjs-core')) as unknown as Tensors;
      const { setWasmPaths } = await import('@tensorflow/tfjs-backend-wasm');
      setWasmPaths(`${resourceDirectory}/`);
      if (!(await tensors.setBackend('wasm'))) throw new Error('the wasm backend does not start');
      return tensors;
    },
  },
  {
    engine: 'cpu',
    load: async () => {
      const tensors = (await import('@tensorflow/tfjs-core')) as unknown as Tensors;
      await import('@tensorflow/tfjs-backend-cpu');
      if (!(await tensors.setBackend('cpu'))) throw new Error('the cpu backend does not start');
      return tensors;
    },
  },
];

/** `util.isNullOrUndefined` and `util.isArray` were removed in Node 23; tfjs-node 4.22.0 still calls them. */
export const addMissingUtilities = (util: Record<string, unknown>): void => {
  util['isNullOrUndefined'] ??= (value: unknown) => value === null || value === undefined;
  util['isArray'] ??= Array.isArray;
};

/** Product of two 2×2 matrices, exact in every float format. */
const passesSelfTest = (tensors: Tensors): boolean => {
  const product = tensors.tidy(() =>
    Array.from(tensors.matMul(tensors.tensor2d([1, 2, 3, 4], [2, 2]), tensors.tensor2d([5, 6, 7, 8], [2, 2])).dataSync()),
  );
  return product.join() === '19,22,43,50';
};

/**
 * @param resourceDirectory where the engines' `.wasm` files lie, and from where `@tensorflow/tfjs-node` is looked for
 * @returns the first engine that passes, or `unavailable/engine-missing` with what each said
 */
export const probeEngines = async (resourceDirectory: string): Promise<Result<WorkingEngine>> => {
  const refusals: string[] = [];
  for (const { engine, load } of candidates) {
    try {
      const tensors = await load(resourceDirectory);
      await tensors.ready();
      if (passesSelfTest(tensors)) return ok({ report: { engine, version: tensors.version_core }, tensors });
      refusals.push(`${engine}: wrong product`);
    } catch (error) {
      refusals.push(`${engine}: ${causeOf(error).split('\n')[0]}`);
    }
  }
  return deny('unavailable', 'engine-missing', refusals.join('; '));
};
