import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { recordsOf } from '#agents/audit/audit.fixture';
import { ok } from '#hal/core/result';
import { affirming, startTestMind, type TestMind } from './mind.fixture.ts';
import { type PostureKeeper, postureKeeper } from './posture-keeper.ts';
import { ownParty } from './trust.ts';

describe('the keeper of the posture', () => {
  let mind: TestMind;
  let keeper: PostureKeeper;
  let reads: number;
  let isLinkAlive: boolean;
  beforeEach(async () => {
    reads = 0;
    isLinkAlive = true;
    const read = async () => {
      reads += 1;
      return ok({ kernelTaint: 0 });
    };
    mind = await startTestMind({ ports: { platform: { read } } });
    keeper = postureKeeper({ ...mind, programs: { link: async () => isLinkAlive }, agents: () => [] });
  });
  afterEach(() => mind[Symbol.asyncDispose]());

  const told = () =>
    recordsOf(mind.audit).map(({ event, outcome, resource, action }) =>
      [event, resource, action, outcome].filter((word) => word !== undefined).join(' '),
    );
  /** What is missing for the lowest level. */
  const complete = (): void => {
    mind.trust.holdResult(ownParty, affirming);
    mind.time.accept({ signedMs: mind.clock.nowMs(), atBootMs: mind.clock.bootMs() });
  };

  test('measures once for all who ask at the same time, and anew for who asks after', async () => {
    const [first, second] = await Promise.all([keeper.refresh(), keeper.refresh()]);
    expect(second).toBe(first);
    expect(reads).toBe(1);
    await keeper.refresh();
    expect(reads).toBe(2);
  });

  test('records each change of level and of a finding, and nothing while nothing changes', async () => {
    await keeper.refresh();
    expect(told()).toEqual(['posture.level none done']);
    await keeper.refresh();
    expect(told().length).toBe(1);
    complete();
    expect((await keeper.refresh()).level).toBe('basic');
    expect(told().slice(1).sort()).toEqual([
      'posture.finding attestation pass done',
      'posture.finding clock pass done',
      'posture.level basic done',
    ]);
    isLinkAlive = false;
    expect((await keeper.refresh()).level).toBe('none');
    expect(told().slice(4).sort()).toEqual(['posture.finding programs fail failed', 'posture.level none done']);
  });

  test('holds what it measured for decisions, and whether the programs are well', async () => {
    complete();
    await keeper.refresh();
    const present = { audit: 'intact', lifecycle: 'active', isTimeKnown: true, isEnrolled: true } as const;
    expect(mind.trust.isPostureOutdated()).toBe(false);
    expect(mind.trust.facts(present)).toMatchObject({
      posture: { value: { level: 1 } },
      osTrust: { value: { areProgramsHealthy: true } },
      integrity: { value: { boot: 'verified' } },
    });
    isLinkAlive = false;
    await keeper.refresh();
    expect(mind.trust.facts(present).osTrust?.value.areProgramsHealthy).toBe(false);
  });

  test('is outdated by what was held while it measured', async () => {
    const measured = keeper.refresh();
    mind.trust.holdResult(ownParty, affirming);
    await measured;
    expect(mind.trust.isPostureOutdated()).toBe(true);
  });

  test('tells those who watch', async () => {
    let changes = 0;
    const changed = mind.watchers.changed(new AbortController().signal).then(() => {
      changes += 1;
    });
    await keeper.refresh();
    await changed;
    expect(changes).toBe(1);
  });
});
