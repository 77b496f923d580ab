/**
 * What the media of a machine may hold after its power was cut, or its programs were killed, at each operation of a life.
 *
 * Between two flushes a drive may write what it was given in any order and any part: of the unflushed writes any subset
 * survives, and of each any sectors. Source: fsync(2); the write cache of SCSI SBC-4 §4.15 and NVM Express 2.0 §5.27.1.4.
 */
import type { BlockPool } from '#hal/memory/block-pool';
import { cellBytes, type MediaState, type Operation, type PendingWrite } from '#hal/memory/recorded-media';
import type { Random } from '#hal/ports/random';

/**
 * `dropped`, `kept`: none or all of the unflushed writes. `reordered`: some of them, whole. `torn`: of each some sectors.
 * `killed`: the programs alone are gone, and what they wrote is still on its way.
 */
export const powerFates = ['dropped', 'kept', 'reordered', 'torn', 'killed'] as const;
export type PowerFate = (typeof powerFates)[number];

export interface PowerState extends MediaState {
  /** Counted from 1: the operation in which the power failed; 0 is before the first. */
  readonly atOperation: number;
  readonly fate: PowerFate;
}

export interface PowerChoices {
  readonly pool: BlockPool;
  readonly random: Random;
  /** Random choices of sectors at each operation. */
  readonly tornPerCut: number;
}

/** Up to so many unflushed writes all subsets are taken, and as many random ones of more. */
const maxExhaustiveWrites = 5;
/** 512 and 4096 are what drives have; 64 is less than any promises, and tears records that fit into a sector. */
const sectorSizes = [64, 512, 4096] as const;

/** Every state that `operations` may leave, once each. */
export function* powerStates(
  from: MediaState,
  operations: readonly Operation[],
  choices: PowerChoices,
): Generator<PowerState, void, undefined> {
  const told = new Set<string>();
  let cells = from.cells;
  let pending = from.pending;
  for (let atOperation = 0; atOperation <= operations.length; atOperation += 1) {
    const operation = operations[atOperation - 1];
    // Cut in a flush, it has done nothing, all, or something of its work.
    if (operation?.kind === 'write') pending = [...pending, operation.write];
    for (const { fate, survivors } of survivals(pending, cells, choices)) {
      const state = { cells: after(cells, survivors), pending: [], atOperation, fate };
      if (isNew(told, stateName(state))) yield state;
    }
    if (operation?.kind === 'flush') {
      const flushed = pending.filter(({ medium }) => medium === operation.medium);
      cells = after(cells, flushed);
      pending = pending.filter(({ medium }) => medium !== operation.medium);
    }
    if (operation?.kind === 'register') {
      cells = cells.slice();
      cells[operation.cell] = operation.number;
      for (const { fate, survivors } of survivals(pending, cells, choices)) {
        const state = { cells: after(cells, survivors), pending: [], atOperation, fate };
        if (isNew(told, stateName(state))) yield state;
      }
    }
    const killed: PowerState = { cells, pending, atOperation, fate: 'killed' };
    if (isNew(told, `killed ${stateName(killed)}`)) yield killed;
  }
}

/** Equal for equal states, and for no others. */
export const stateName = ({ cells, pending }: MediaState): string => {
  const name = Buffer.from(cells.buffer, cells.byteOffset, cells.byteLength).toString('latin1');
  return pending.length === 0 ? name : `${name}${JSON.stringify(pending)}`;
};

const isNew = (told: Set<string>, name: string): boolean => {
  const before = told.size;
  return told.add(name).size > before;
};

const after = (cells: Uint32Array, writes: readonly PendingWrite[]): Uint32Array => {
  if (writes.length === 0) return cells;
  const next = cells.slice();
  for (const { firstCell, numbers } of writes) next.set(numbers, firstCell);
  return next;
};

interface Survival {
  readonly fate: PowerFate;
  readonly survivors: readonly PendingWrite[];
}

function* survivals(pending: readonly PendingWrite[], cells: Uint32Array, choices: PowerChoices): Generator<Survival> {
  const { random, tornPerCut } = choices;
  yield { fate: 'dropped', survivors: [] };
  if (pending.length === 0) return;
  yield { fate: 'kept', survivors: pending };
  const isExhaustive = pending.length <= maxExhaustiveWrites;
  const subsets = 2 ** Math.min(pending.length, maxExhaustiveWrites) - 2;
  for (let subset = 1; subset <= subsets; subset += 1) {
    const chosen = isExhaustive ? [subset] : random.bytes(Math.ceil(pending.length / 8));
    yield { fate: 'reordered', survivors: pending.filter((_, at) => ((chosen[at >> 3] ?? 0) >> (at & 7)) & 1) };
  }
  for (let torn = 0; torn < tornPerCut; torn += 1) yield { fate: 'torn', survivors: tear(pending, cells, choices) };
}

/** Of each write some cells survive, and one cell in parts: what cannot be told from more of them. */
const tear = (pending: readonly PendingWrite[], cells: Uint32Array, { pool, random }: PowerChoices): PendingWrite[] => {
  const below = cells.slice();
  return pending.map((write) => {
    const draws = random.bytes(3 + Math.ceil(write.numbers.length / 8));
    const sectorBytes = sectorSizes[(draws[0] ?? 0) % sectorSizes.length] ?? 512;
    const tornAt = (((draws[1] ?? 0) << 8) | (draws[2] ?? 0)) % write.numbers.length;
    const numbers = write.numbers.map((number, at) => {
      const cell = write.firstCell + at;
      const old = below[cell] ?? 0;
      const isKept = ((draws[3 + (at >> 3)] ?? 0) >> (at & 7)) & 1;
      const survives = at === tornAt ? tearCell(pool, cell, [old, number], sectorBytes, random) : isKept ? number : old;
      below[cell] = survives;
      return survives;
    });
    return { ...write, numbers };
  });
};

const tearCell = (
  pool: BlockPool,
  cell: number,
  [old, next]: readonly [number, number],
  sectorBytes: number,
  random: Random,
): number => {
  if (old === next) return next;
  const torn = new Uint8Array(cellBytes);
  torn.set(pool.bytesOf(old));
  const sectors = cellBytes / sectorBytes;
  const choices = random.bytes(Math.ceil(sectors / 8));
  for (let sector = 0; sector < sectors; sector += 1)
    if (((choices[sector >> 3] ?? 0) >> (sector & 7)) & 1) {
      const start = sector * sectorBytes;
      torn.set(pool.bytesOf(next).subarray(start, start + sectorBytes), start);
    }
  return pool.numberOf(cell, torn);
};
