/** The rules of the house, each a function from sources to the sentences that name what breaks it. */
import type { Source } from './sources.ts';

type Rule = (sources: readonly Source[]) => readonly string[];

/** Imports point left only; the three cores do not know one another; `bench` and `tools` are imported by nobody. */
const ranks: Readonly<Record<string, number>> = {
  protos: 0,
  hal: 1,
  attestation: 2,
  'ota-client': 2,
  'firmware-key': 2,
  agents: 3,
  sim: 4,
  bench: 5,
  tools: 5,
};

export const importRule: Rule = (sources) =>
  sources.flatMap(({ path, room, imports }) =>
    imports.flatMap((target) => {
      const targetRoom = target.split('/')[0] ?? '';
      const rank = ranks[room];
      const targetRank = ranks[targetRoom];
      if (rank === undefined || targetRank === undefined || room === targetRoom) return [];
      return targetRank < rank ? [] : [`${path} imports ${target}: imports point left only`];
    }),
  );

export const noCycles: Rule = (sources) => {
  const graph = new Map(sources.map(({ path, imports }) => [path, imports]));
  const state = new Map<string, 'open' | 'done'>();
  const found: string[] = [];
  const visit = (path: string, trail: readonly string[]): void => {
    const seen = state.get(path);
    if (seen === 'open') found.push(`cycle: ${[...trail.slice(trail.indexOf(path)), path].join(' → ')}`);
    if (seen !== undefined || !graph.has(path)) return;
    state.set(path, 'open');
    for (const target of graph.get(path) ?? []) visit(target, [...trail, path]);
    state.set(path, 'done');
  };
  for (const { path } of sources) visit(path, []);
  return found;
};

/** Adapters may ask the machine for time and randomness; everybody else gets them as parts. */
const timeAndChance =
  /\b(?:Date\.now|performance\.now|process\.hrtime|Math\.random|randomBytes|randomUUID|randomInt|getRandomValues|setTimeout|setInterval)\b|\bnew Date\(\)|node:timers/;
const mayAskTheMachine =
  /^(?:hal\/linux\/|bench\/|tools\/)|\.(?:test|fixture)\.ts$|^hal\/native\/testing|\.parts\.test\.ts$|\.day\.test\.ts$|\.page\.test\.ts$/;

export const noTimeOrChance: Rule = (sources) =>
  sources
    .filter(({ path }) => !mayAskTheMachine.test(path))
    .flatMap(({ path, text }) => {
      const found = timeAndChance.exec(withoutComments(text));
      return found === null ? [] : [`${path} uses ${found[0]}: time and randomness come through ports`];
    });

/** What the network-facing program is made of must work without WebAssembly, so no `fetch`. */
export const noFetchInTheMouth: Rule = (sources) => {
  const byPath = new Map(sources.map((source) => [source.path, source]));
  const reached = new Set<string>();
  const visit = (path: string): void => {
    const source = byPath.get(path);
    if (source === undefined || reached.has(path)) return;
    reached.add(path);
    for (const target of source.imports) visit(target);
  };
  visit('agents/programs/linkd.ts');
  return [...reached].flatMap((path) =>
    /\bfetch\s*\(/.test(withoutComments(byPath.get(path)?.text ?? '')) ? [`${path} uses fetch, and the mouth reaches it`] : [],
  );
};

/** One idea a file; a file that only passes on what others export is none. */
export const noBarrels: Rule = (sources) =>
  sources
    .filter(({ text }) => /^export (?:\*|\{[^}]*\}) from/m.test(text))
    .map(({ path }) => `${path} re-exports: import from the file itself`);

const withoutComments = (text: string): string => text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|\s)\/\/.*$/gm, '$1');
