/**
 * One esbuild bundle a program: dist/device/ is what ships, dist/recovery/ what recovery has; dist/sim/ is the simulator,
 * dist/machine/ what its image of a machine has beside that, and dist/interoperability/ what other people's test suites run:
 * none of these is ever on a device. dist/inputs.json names the sources of each.
 * Programs of a device and of a machine have their code beside them.
 *
 * usage: node tools/build/programs.ts
 */
import { cpSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { build } from 'esbuild';
import { engineFlags } from '#agents/supervisor/launch';
import { tpmProvider, tpmProviderConfig } from '#agents/supervisor/tpm-provider';
import { bundleOptions, bundles, root } from './bundles.ts';
import { codeMaker } from './code.ts';
import { writePolicyMemory } from './policy-memory.ts';

const resolve = createRequire(import.meta.url).resolve;

/** Files that programs read beside their bundle: WebAssembly modules cannot be bundled. */
const resources = [
  ...['tfjs-backend-wasm.wasm', 'tfjs-backend-wasm-simd.wasm', 'tfjs-backend-wasm-threaded-simd.wasm'].map((file) =>
    join(dirname(resolve('@tensorflow/tfjs-backend-wasm/package.json')), 'dist', file),
  ),
];

/**
 * The addon of `serialport`, built by its publisher, for this processor and the GNU C library: no bundle can hold it, so
 * it lies beside those that load it (tools/build/serial-addon.cjs).
 */
const serialAddon = (): string => {
  const folder = join(dirname(resolve('@serialport/bindings-cpp/package.json')), `prebuilds/linux-${process.arch}`);
  const name = readdirSync(folder).find((file) => file.endsWith('.glibc.node'));
  if (name === undefined) throw new Error(`serialport has no addon for ${process.arch}`);
  return join(folder, name);
};

/** Which files each bundle has code of. */
const inputs: Record<string, readonly string[]> = {};

for (const [folder, entryPoints] of Object.entries(bundles)) {
  const { metafile } = await build(bundleOptions(folder, entryPoints));
  for (const [path, output] of Object.entries(metafile.outputs))
    inputs[path] = Object.entries(output.inputs).flatMap(([input, { bytesInOutput }]) => (bytesInOutput > 0 ? [input] : []));
}
writeFileSync(join(root, 'dist/inputs.json'), JSON.stringify(inputs));
const makeCode = await codeMaker();
for (const folder of ['device', 'machine', 'sim'] as const)
  for (const name of Object.keys(bundles[folder]))
    if (name in engineFlags) makeCode(join(root, 'dist', folder, `${name}.cjs`), engineFlags[name as keyof typeof engineFlags]);
mkdirSync(join(root, 'dist/device'), { recursive: true });
await writePolicyMemory(join(root, 'dist/device'));
for (const resource of resources) cpSync(resource, join(root, 'dist/device', resource.slice(resource.lastIndexOf('/') + 1)));
cpSync(serialAddon(), join(root, 'dist/device/serialport.node'));
writeFileSync(join(root, 'dist/device', tpmProvider.configName), tpmProviderConfig());
