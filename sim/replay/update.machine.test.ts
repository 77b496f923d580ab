/**
 * A power cut anywhere in an update of a real machine (issue 5): one update is lived with each write in a log, and then 200
 * disks are made of the log and the firmware's flash, as a cut would have left them. Each is judged by its bytes; six are
 * really started.
 *
 * What the judged ones show: the firmware has an image that it takes, every block of its root verifies up to the root that
 * the image signs, and the ledger knows the slot as that release; so has whatever starts if that comes to nothing. What they
 * do not: that the kernel starts, that the data partition opens (it is encrypted, and its key is the TPM's), what the programs
 * then do, and what this firmware does with its flash. The six show that too, at six cuts.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { codeOf, unwrap } from '#hal/core/result';
import { seededRandom } from '#hal/memory/random';
import { type PartitionName, partitionNamed } from '#sim/image/disk';
import { askAsMind } from '#sim/qemu/guest-tool.fixture';
import { clock, healthy, started } from '#sim/qemu/machine.fixture';
import type { SaidStatus } from '#sim/qemu/updatable.fixture';
import { below } from './below.ts';
import { type ChosenCut, chooseCuts } from './chosen-cuts.ts';
import { survivors } from './cut.ts';
import { type Judgement, judge } from './judge.ts';
import { type Phase, phases, type RecordedUpdate, recordedUpdate } from './recorded-update.fixture.ts';

const seed = process.env['ENIGM_REPLAY_SEED'] ?? 'first';
/** More than there are states: all of them, each with one fate. */
const cuts = Number(process.env['ENIGM_REPLAY_CUTS'] ?? 200);
const booted = 6;
/** Nothing that an update writes lies elsewhere. */
const written: readonly PartitionName[] = ['esp-b', 'root-b', 'ledger', 'data'];

describe(`cuts of an update (ENIGM_REPLAY_SEED=${seed})`, () => {
  let update: RecordedUpdate;
  let chosen: readonly ChosenCut[] = [];
  const judged = new Map<ChosenCut, Judgement>();
  beforeAll(async () => {
    update = await recordedUpdate();
    chosen = chooseCuts(update.positions, cuts, drawn('cuts'));
  });
  afterAll(() => update?.[Symbol.dispose]());

  const drawn = (purpose: string) => below(seededRandom(`${seed} ${purpose}`));
  const nameOf = ({ phase, position, fate }: ChosenCut) =>
    `${phase}, write ${position.disk} of the disk and ${position.variables} of the flash, ${fate}`;
  /** The same for the same cut, whoever asks. */
  const left = (cut: ChosenCut) =>
    survivors(update.logs.disk, { entries: cut.position.disk, fate: cut.fate }, drawn(nameOf(cut)));

  test('the log has the whole update, and nothing of it lies where it must not', () => {
    const { logs, positions, entriesBefore } = update;
    const flushes = logs.disk.filter(({ isFlush }) => isFlush).length;
    console.log(
      `${logs.disk.length} writes and flushes of the disk, ${flushes} of them flushes; ${logs.variables.length} of the flash`,
    );
    for (const [phase, there] of positions) console.log(`${phase}: ${there.length} states`);
    for (const phase of phases) expect(positions.get(phase)?.length, phase).toBeGreaterThan(phase === 'after' ? 0 : 50);
    const elsewhere = logs.disk
      .slice(entriesBefore)
      .filter(
        ({ sector, sectors }) =>
          sectors > 0 &&
          !written
            .map(partitionNamed)
            .some((part) => sector >= part.startSector && sector + sectors <= part.startSector + part.sectors),
      );
    expect(elsewhere).toEqual([]);
  });

  test(`${cuts} of them leave a machine with a good slot, and another good start behind it`, { timeout: 900_000 }, async () => {
    const beganMs = clock.bootMs();
    const one = judge();
    const failed: string[] = [];
    let lost = 0;
    for (const cut of chosen) {
      const writes = left(cut);
      const noted = update.logs.disk.slice(0, cut.position.disk).filter(({ dataSector }) => dataSector !== undefined);
      const sectorsOf = (all: readonly { readonly sectors: number }[]) => all.reduce((sum, { sectors }) => sum + sectors, 0);
      if (sectorsOf(writes) < sectorsOf(noted)) lost += 1;
      const found = await one(update.disk(writes), update.flash(cut.position.variables));
      if (found.ok) judged.set(cut, found.value);
      else failed.push(`${nameOf(cut)}: ${codeOf(found.fault)} ${found.fault.detail}`);
    }
    console.log(`${chosen.length} cuts judged in ${clock.bootMs() - beganMs} ms; ${lost} of them lost writes`);
    for (const line of countsOf(judged)) console.log(line);
    expect(failed).toEqual([]);
    const states = [...update.positions.values()].reduce((sum, { length }) => sum + length, 0);
    expect(judged.size).toBe(Math.min(cuts, states));
  });

  test('none starts the new release before it is whole, and none the old one after the commit', () => {
    for (const [cut, { next, fallback, ledger }] of judged) {
      if (ledger.b.content !== 'verified') expect([next, fallback], nameOf(cut)).toEqual(['a', 'a']);
      if (cut.phase === 'install' || cut.phase === 'trial') expect(fallback, nameOf(cut)).toBe('a');
      if (cut.phase === 'after') expect([next, fallback], nameOf(cut)).toEqual(['b', 'b']);
    }
  });

  test('on a disk that does no flush, many would leave none', async () => {
    const one = judge();
    const lying = update.logs.disk.map((write) => ({ ...write, isFlush: false }));
    const ofTrial = chosen.filter(({ phase }) => phase === 'trial').slice(0, 12);
    let bad = 0;
    for (const cut of ofTrial) {
      const writes = survivors(lying, { entries: cut.position.disk, fate: 'dropped' }, drawn(nameOf(cut)));
      if (!(await one(update.disk(writes), update.flash(cut.position.variables))).ok) bad += 1;
    }
    console.log(`without flushes, ${bad} of ${ofTrial.length} cuts of the trial leave no good slot`);
    expect(bad).toBeGreaterThan(ofTrial.length / 2);
  });

  test(`${booted} of them start, from every phase, and their programs answer`, async () => {
    const draw = drawn('started');
    const pool = phases.map((phase) => [...judged.keys()].filter((cut) => cut.phase === phase));
    const wanted = Array.from({ length: booted }, (_, turn) => {
      const cutsOfPhase = pool[turn % pool.length] ?? [];
      return cutsOfPhase.splice(draw(cutsOfPhase.length), 1)[0];
    });
    for (const cut of wanted) {
      const judgement = cut === undefined ? undefined : judged.get(cut);
      if (cut === undefined || judgement === undefined) return expect.unreachable('a cut of each phase');
      using device = await update.device(cut.position, left(cut));
      const beganMs = clock.bootMs();
      await using machine = await started(device);
      const slot = await healthy(machine);
      console.log(`${nameOf(cut)}: slot ${slot} is well after ${clock.bootMs() - beganMs} ms`);
      expect(slot, nameOf(cut)).toBe(judgement.next);
      expect(unwrap(await machine.shell('cat /run/data')), nameOf(cut)).toBe('opened');
      const status = unwrap(await askAsMind<SaidStatus>(machine, 'status'));
      expect(status.running, nameOf(cut)).toBe(slot);
      expect(status[slot].state, nameOf(cut)).toMatch(/^(?:committed|trial)$/);
    }
  });
});

/** How many of each phase and fate would start which slot. */
const countsOf = (judged: ReadonlyMap<ChosenCut, Judgement>): readonly string[] => {
  const counts = new Map<string, number>();
  for (const [{ phase, fate }, { next, fallback }] of judged) {
    const line = `${(phase as Phase).padEnd(8)} ${fate.padEnd(8)} ${next}, then ${fallback}`;
    counts.set(line, (counts.get(line) ?? 0) + 1);
  }
  return [...counts].toSorted(([one], [other]) => one.localeCompare(other)).map(([line, count]) => `${line}: ${count}`);
};
