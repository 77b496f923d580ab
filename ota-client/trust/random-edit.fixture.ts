/** One change of one field somewhere in signed JSON, at random: another value, none, or a copy of its neighbour. */
import { type Draw, pick } from './draw.fixture.ts';
import type { Json } from './json.ts';

const values: readonly Json[] = [
  ...[0, 1, -1, 2, 1_000_000_000_000_000, true, false, null, '', 'x', '1', '00', '2030-01-01T00:00:00Z', '*', 'root'],
  ...[[], {}, [1], ['x'], { x: 1 }, { x: 'x' }],
];

type Place = readonly [parent: Record<string | number, Json>, key: string];

const placesIn = (value: Json): readonly Place[] => {
  if (typeof value !== 'object' || value === null) return [];
  const parent = value as Place[0];
  return Object.keys(parent).flatMap((key): readonly Place[] => [[parent, key], ...placesIn(parent[key] ?? null)]);
};

/** @param signed is changed in place; its other parts are copied first, since several files may share them */
export const randomEdit = (signed: Record<string, Json>, draw: Draw): void => {
  const copy = structuredClone(signed) as Record<string, Json>;
  const [parent, key] = pick(draw, placesIn(copy));
  const neighbours = Object.keys(parent);
  const change = draw(4);
  if (change === 0 && !Array.isArray(parent)) delete parent[key];
  else if (change === 1) parent[key] = structuredClone(parent[pick(draw, neighbours)] ?? null) as Json;
  else parent[key] = pick(draw, values);
  for (const name of Object.keys(signed)) delete signed[name];
  Object.assign(signed, copy);
};
