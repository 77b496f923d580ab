/** Step 7: what programs did is scored here; a signed outcome of the intelligence service flips one decision and stops one app. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { codeOf, ok, type Result } from '#hal/core/result';
import type { DefenseStatus } from '#protos/gen/types';
import { recordProgram } from '#sim/machine/syscalls';
import { workloads } from '#sim/machine/syscalls-workloads';
import type { Conclusion } from '#sim/peers/enyra';
import type { World } from '#sim/world/world';
import { faultOfCode, textOf } from './outcome.ts';
import { messaging, signIn } from './person.ts';
import { versionOf } from './policy.ts';
import { refused, type Scenario, seen } from './scenario.ts';

/** One of the apps that step 5 allows. */
const blockedApp = 'camera-notes';
const otherApp = 'messenger';
/** Long enough to be seen, short enough to be over. */
const outcomeMs = 4_000;
const blockMs = 5_000;

export const intelligence: Scenario = {
  step: 'intelligence',
  title:
    'programs are judged by their system calls, two engines agree; a signed outcome denies, then expires; a block stops an app',
  async run(world) {
    const { device, until } = world;
    await signIn(world, device);
    const judged = await judgeOrdinary(world);
    if (!judged.ok) return refused(judged.fault);

    const before = await verdict(world);
    if (before !== 'allowed') return refused(faultOfCode(before));
    const concluded = await present(world, { category: 'spyware-like', lifeMs: outcomeMs });
    if (concluded !== 'accepted') return refused(faultOfCode(concluded));
    const during = await verdict(world);
    await until('the outcome is over', async () => (await verdict(world)) === 'allowed', outcomeMs + 15_000);

    const started = await start(world, blockedApp);
    if (started !== 'started') return refused(faultOfCode(started));
    const blocked = await present(world, { category: 'malware-like', app: blockedApp, isBlock: true, lifeMs: blockMs });
    if (blocked !== 'accepted') return refused(faultOfCode(blocked));
    const managed = await device.app.call('managed.status', {});
    const told = await approveTelemetry(world);
    if (!told.ok) return refused(told.fault);
    return seen({
      judged: judged.value.category ?? 'not judged: no signals here',
      secondOpinion: judged.value.opinion ?? 'not asked',
      engine: judged.value.engine?.engine ?? 'none',
      duringOutcome: during,
      afterwards: 'allowed',
      app: managed.ok && managed.value.apps?.running.includes(blockedApp) ? 'STILL RUNS' : 'ended',
      itsNextStart: await start(world, blockedApp),
      another: await start(world, otherApp),
      toldUnapproved: told.value.before,
      toldApproved: told.value.after,
    });
  },
};

/** What Command is told of judgements: nothing, until a configuration that two people signed approves of it. */
const approveTelemetry = async ({ device, fleet, until }: World): Promise<Result<{ before: string; after: string }>> => {
  const { command } = fleet;
  const handle = textOf((await device.enigmctl('attest', 'now', '--relying-party', 'command')).json, 'handle');
  const risk = () => command.report(handle)?.risk;
  const before = risk() === undefined ? 'nothing' : 'SOMETHING';
  const configuration = {
    version: (await versionOf(device, 'configuration')) + 1,
    postureEverySeconds: 2,
    approvesTelemetry: true,
  };
  const published = await command.publish('configuration', configuration);
  if (!published.ok) return published;
  const announced = await command.announce('configuration', configuration.version);
  if (!announced.ok) return announced;
  await until('Command was told', () => risk() !== undefined);
  const { category, band } = risk() ?? { category: 'SOMETHING', band: '' };
  return ok({ before, after: `${category} ${band}, by one model` });
};

/** An ordinary program of this very run, recorded by strace. */
const judgeOrdinary = async ({ device, until }: World): Promise<Result<DefenseStatus>> => {
  await until('the engine is tested', async () => {
    const status = await device.app.call('defense.status', {});
    return status.ok && status.value.engine !== undefined;
  });
  const notes = workloads.find(({ name }) => name === 'notes');
  if (notes !== undefined && existsSync('/usr/bin/strace')) {
    const directory = mkdtempSync(join(tmpdir(), 'enigm-workload-'));
    const recorded = await recordProgram(notes.recording(directory, 0));
    rmSync(directory, { recursive: true, force: true });
    if (!recorded.ok) return recorded;
    device.observe(recorded.value);
  }
  return device.app.call('defense.status', {});
};

const verdict = async ({ device }: World): Promise<string> => {
  await device.app.call('posture.read', {});
  const decided = await device.app.call('decision.authorize', messaging);
  if (!decided.ok) return codeOf(decided.fault);
  return decided.value.isAllowed ? 'allowed' : decided.value.code;
};

const present = async ({ device, enyra }: World, conclusion: Conclusion): Promise<string> => {
  const taken = await device.app.call('intelligence.present', { envelope: enyra.conclude(conclusion) });
  return taken.ok ? 'accepted' : codeOf(taken.fault);
};

const start = async ({ device }: World, app: string): Promise<string> => {
  const started = await device.app.call('apps.start', { app });
  if (!started.ok) return codeOf(started.fault);
  return started.value.isAllowed ? 'started' : started.value.code;
};
