/** The programs of a machine, built again and again: only what a changed source is part of. */
import { join, resolve } from 'node:path';
import { type BuildContext, context } from 'esbuild';
import { bundleOptions, bundles, root } from '#tools/build/bundles';

export interface Bundle {
  readonly name: string;
  readonly bytes: Uint8Array;
}

export interface ProgramBuilds extends AsyncDisposable {
  /** @param changed whole paths; undefined for all. @returns bundles that are other than those returned before */
  build(changed?: ReadonlySet<string>): Promise<readonly Bundle[]>;
}

/** The hands of a machine are those of its simulator's image; what opened its data ended with its start; what starts others is none. */
const { hald: _, unlock: __, start: ___, ...ofDevices } = bundles.device;
export const machinePrograms: Readonly<Record<string, string>> = { ...ofDevices, hald: bundles.machine.hald };

/** @param entryPoints sources by name. @param known bundles that somebody has already */
export const programBuilds = async (
  entryPoints: Readonly<Record<string, string>> = machinePrograms,
  known: (name: string) => Uint8Array | undefined = () => undefined,
): Promise<ProgramBuilds> => {
  const programs = await Promise.all(
    Object.entries(entryPoints).map(async ([name, source]) => ({
      name,
      last: known(name),
      inputs: new Set<string>(),
      context: (await context({
        ...bundleOptions('dev', { [name]: source }),
        write: false,
      })) as BuildContext<ReturnType<typeof bundleOptions> & { write: false }>,
    })),
  );
  return {
    async build(changed) {
      const fresh: Bundle[] = [];
      for (const program of programs) {
        if (changed !== undefined && ![...changed].some((path) => program.inputs.has(path))) continue;
        const { outputFiles, metafile } = await program.context.rebuild();
        program.inputs = new Set(Object.keys(metafile.inputs).map((path) => resolve(root, path)));
        const bytes = outputFiles.find(({ path }) => path.endsWith(`${program.name}.cjs`))?.contents;
        if (bytes === undefined || (program.last !== undefined && Buffer.compare(program.last, bytes) === 0)) continue;
        program.last = bytes;
        fresh.push({ name: program.name, bytes });
      }
      return fresh;
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(programs.map((program) => program.context.dispose()));
    },
  };
};

/** Folders whose files bundles are made of. */
export const sourceFolders = ['protos', 'hal', 'attestation', 'ota-client', 'firmware-key', 'agents', 'sim'].map((name) =>
  join(root, name),
);
