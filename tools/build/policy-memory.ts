/** The policy engine of a device, and its memory once it has read the policy: see `agents/decision/engine-memory.ts`. */
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { loadCedar, readPolicy } from '#agents/decision/cedar';
import { builtDigest, keptMemory, keptMemoryName, withDigest } from '#agents/decision/engine-memory';
import { policyDigest } from '#agents/decision/policy';

const engineName = 'cedar_wasm_bg.wasm';

/** @param folder of the programs. Throws where this process has loaded the engine before */
export const writePolicyMemory = async (folder: string): Promise<void> => {
  const library = createRequire(import.meta.url).resolve('@cedar-policy/cedar-wasm/nodejs');
  const engine = new Uint8Array(readFileSync(join(dirname(library), engineName)));
  const built = withDigest(engine);
  const digest = builtDigest(built);
  const { cedar, instance } = await loadCedar();
  if (instance === undefined || digest === undefined) throw new Error('the policy engine does not show its memory');
  const before = new Uint8Array(instance.memory.buffer).slice();
  readPolicy(cedar);
  writeFileSync(join(folder, engineName), built);
  writeFileSync(join(folder, keptMemoryName), keptMemory(instance, before, [digest, policyDigest]));
};
