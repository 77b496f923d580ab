/**
 * The collector of the engine, which is for those who know that they let go of much. A program that is started with
 * `--expose-gc` has it; to others the engine offers it in a new context, once it was asked to.
 */
export type Collect = (options: { readonly type: 'minor' | 'major' }) => unknown;

export const collector = (): Collect => globalThis.gc ?? exposed();

const exposed = (): Collect => {
  const { setFlagsFromString } = process.getBuiltinModule('node:v8');
  const { runInNewContext } = process.getBuiltinModule('node:vm');
  setFlagsFromString('--expose-gc');
  try {
    return runInNewContext('gc') as Collect;
  } finally {
    // Other flags than at the start would make Node's own modules be compiled again when they are needed.
    setFlagsFromString('--no-expose-gc');
  }
};
