/**
 * One esbuild bundle a program: dist/device/ is what ships, dist/sim/ is the simulator and is never on a device.
 * dist/inputs.json names the sources of each.
 *
 * usage: node tools/build/programs.ts
 */
import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { build } from 'esbuild';

const root = join(import.meta.dirname, '../..');
const resolve = createRequire(import.meta.url).resolve;

const bundles = {
  device: {
    hald: 'agents/programs/hald.ts',
    agentd: 'agents/programs/agentd.ts',
    linkd: 'agents/programs/linkd.ts',
    inferd: 'agents/programs/inferd.ts',
    paged: 'agents/programs/paged.ts',
    enigmctl: 'agents/cli/main.ts',
  },
  sim: {
    hald: 'sim/programs/hald.ts',
    'enigm-sim': 'sim/cli/main.ts',
  },
} as const;

/** Files that programs read beside their bundle: WebAssembly modules cannot be bundled. */
const resources = [
  join(dirname(resolve('@cedar-policy/cedar-wasm/nodejs')), 'cedar_wasm_bg.wasm'),
  ...['tfjs-backend-wasm.wasm', 'tfjs-backend-wasm-simd.wasm', 'tfjs-backend-wasm-threaded-simd.wasm'].map((file) =>
    join(dirname(resolve('@tensorflow/tfjs-backend-wasm/package.json')), 'dist', file),
  ),
];

/** Which files each bundle has code of. */
const inputs: Record<string, readonly string[]> = {};

for (const [folder, entryPoints] of Object.entries(bundles)) {
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: { ...entryPoints },
    outdir: `dist/${folder}`,
    outExtension: { '.js': '.cjs' },
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node24',
    minifySyntax: true,
    legalComments: 'none',
    logLevel: 'warning',
    external: ['@tensorflow/tfjs-node'],
    metafile: true,
  });
  for (const [path, output] of Object.entries(metafile.outputs))
    inputs[path] = Object.entries(output.inputs).flatMap(([input, { bytesInOutput }]) => (bytesInOutput > 0 ? [input] : []));
}
writeFileSync(join(root, 'dist/inputs.json'), JSON.stringify(inputs));
mkdirSync(join(root, 'dist/device'), { recursive: true });
for (const resource of resources) cpSync(resource, join(root, 'dist/device', resource.slice(resource.lastIndexOf('/') + 1)));
