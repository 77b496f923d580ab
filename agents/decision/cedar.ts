/** Cedar as it is loaded, and our policy read into it. */
import { type WasmModule, webAssembly } from '#hal/core/web-assembly';
import { validatedLater, withBaselineCompiler } from '#hal/linux/baseline-compiler';
import { builtDigest, type EngineInstance } from './engine-memory.ts';
import { rules, schema } from './policy.ts';

export type Cedar = typeof import('@cedar-policy/cedar-wasm/nodejs');

export interface LoadedCedar {
  readonly cedar: Cedar;
  /** Where this was what loaded it: a process has it once. */
  readonly instance?: EngineInstance;
}

/** As our schema and policies are called there. */
export const policyName = 'enigm';

/** Throws where its file is not there, or damaged. */
export const loadCedar = async (): Promise<LoadedCedar> => {
  const { Module, Instance } = webAssembly;
  let digest: Uint8Array | undefined;
  let instance: EngineInstance | undefined;
  webAssembly.Module = new Proxy(Module, {
    construct: (target, [engine]: [Uint8Array]) => {
      digest = builtDigest(engine);
      const compile = () => new target(engine);
      // As the build had it, it is valid.
      return digest === undefined ? compile() : validatedLater(compile);
    },
  });
  // The library keeps its instance to itself.
  webAssembly.Instance = new Proxy(Instance, {
    construct: (target, [module, imports]: [WasmModule, object]) => {
      const made = new target(module, imports);
      const { memory, __wbindgen_externrefs: references } = made.exports;
      if (memory instanceof webAssembly.Memory && references instanceof webAssembly.Table)
        instance = { memory, references, ...(digest === undefined ? {} : { digest }) };
      return made;
    },
  });
  try {
    const cedar = await withBaselineCompiler(() => import('@cedar-policy/cedar-wasm/nodejs'));
    return { cedar, ...(instance === undefined ? {} : { instance }) };
  } finally {
    Object.assign(webAssembly, { Module, Instance });
  }
};

/** Throws where they do not parse, which a test excludes. */
export const readPolicy = ({ preparsePolicySet, preparseSchema }: Cedar): void => {
  const staticPolicies = Object.fromEntries(rules.map(({ id, cedar }) => [id, cedar]));
  for (const parsed of [preparseSchema(policyName, schema), preparsePolicySet(policyName, { staticPolicies })])
    if (parsed.type === 'failure') throw new Error(parsed.errors.map(({ message }) => message).join('; '));
};
