/** enigmctl update: which release runs, what is offered, installing it, keeping it or going back. */
import type { Command } from 'commander';
import type { ApiMethods } from '#agents/api/methods';
import { toHex } from '#hal/core/bytes';
import { linuxClock } from '#hal/linux/clock';
import type { SocketClient } from '#hal/remote/socket-client';
import type { CarriedTurn, SlotRelease, SlotStatus, UpdateReport } from '#protos/gen/types';
import { type CarriedRelease, openCarried } from '../carried-release.ts';
import { answer } from '../console.ts';
import type { Run } from '../context.ts';
import { withDevice } from '../device.ts';
import { readAll, recordJson, recordLine, recordOf } from './audit.ts';

const tellEveryMs = 500;

interface InstallOptions {
  readonly repair?: boolean;
  readonly force?: boolean;
  readonly from?: string;
}

export const updateCommands = (program: Command, run: Run): void => {
  const update = program.command('update').description('releases of the operating system: two slots, of which one runs');
  update
    .command('status', { isDefault: true })
    .description('what each slot holds, and which one runs')
    .action(
      run(({ console, runDirectory }) =>
        withDevice(runDirectory, async (device) => answer(console, await device.call('update.status', {}), shown)),
      ),
    );
  update
    .command('check')
    .description('ask the director, after a fresh appraisal, what this device is to install')
    .action(
      run(({ console, runDirectory }) =>
        withDevice(runDirectory, async (device) =>
          answer(console, await device.call('update.check', {}), ({ release }) => ({
            text: release === undefined ? 'nothing to install' : `release ${release.counter} is offered`,
            json: release === undefined ? {} : { release: releaseJson(release) },
          })),
        ),
      ),
    );
  update
    .command('install')
    .option('--repair', 'the repair release: needs no appraisal, no director and no clock')
    .option('--force', 'also a release that failed its trial before')
    .option(
      '--from <place>',
      'an archive or a copy of the repository, where the device reaches none; the director is asked, unless a grant came with it',
    )
    .description('fetch, write, prove and arm what is offered; it starts at the next restart')
    .action(
      run(async ({ console, runDirectory }, { repair = false, force = false, from }: InstallOptions) => {
        const carried = from === undefined ? undefined : openCarried(from);
        if (carried?.ok === false) return console.refuse(carried.fault);
        const code = await withDevice(runDirectory, async (device) => {
          const order = { isRepair: repair, isForced: force, ...(carried === undefined ? {} : { isCarried: true }) };
          const installing = device.call('update.install', order);
          const told = new AbortController();
          const telling = tell(device, console.say, told.signal);
          const carrying = carried === undefined ? undefined : carry(device, carried.value);
          const installed = await installing;
          told.abort();
          await telling;
          await carrying;
          return answer(console, installed, ({ outcome }) => ({ text: outcomes[outcome] ?? outcome, json: { outcome } }));
        });
        carried?.value.close();
        return code;
      }),
    );
  update
    .command('confirm')
    .description('keep the release on trial now; what it must be able to do must have passed')
    .action(
      run(({ console, runDirectory }) =>
        withDevice(runDirectory, async (device) =>
          answer(console, await device.call('update.confirm', {}), () => ({
            text: 'kept: this release starts from now on',
            json: { outcome: 'committed' },
          })),
        ),
      ),
    );
  update
    .command('rollback')
    .description('go back to what the other slot holds: out of a trial, or on a trial of its own')
    .action(
      run(({ console, runDirectory }) =>
        withDevice(runDirectory, async (device) =>
          answer(console, await device.call('update.rollBack', {}), ({ outcome }) => ({
            text: rollBacks[outcome] ?? outcome,
            json: { outcome },
          })),
        ),
      ),
    );
  update
    .command('history')
    .description('what happened to releases on this device, out of the audit log')
    .action(
      run(({ console, runDirectory }) =>
        withDevice(runDirectory, async (device) => {
          return answer(console, await readAll(device), (entries) => {
            const records = entries.flatMap((entry) => recordOf(entry)).filter(({ record }) => releaseEvent.test(record.event));
            const text = records.length === 0 ? 'nothing yet' : records.map(recordLine).join('\n');
            return { text, json: { records: records.map(recordJson) } };
          });
        }),
      ),
    );
};

const releaseEvent = /^(?:release\.|admin\.release$)/;

/** Hands over what the device wants, until it wants nothing more. */
const carry = async (device: SocketClient<ApiMethods>, carried: CarriedRelease): Promise<void> => {
  for (let turn: CarriedTurn = {}; ; ) {
    const asked = await device.call('update.carry', turn);
    if (!asked.ok || asked.value.want === undefined) return;
    const { number, path, offset, mostBytes } = asked.value.want;
    const part = carried.read(path, offset, mostBytes);
    turn = { part: part.ok && part.value !== undefined ? { number, part: part.value } : { number } };
  }
};

/** Progress while the device works, on standard error. */
const tell = async (device: SocketClient<ApiMethods>, say: (text: string) => void, signal: AbortSignal): Promise<void> => {
  const clock = linuxClock();
  let told = '';
  while (!signal.aborted) {
    await clock.sleep(tellEveryMs, signal);
    if (signal.aborted) return;
    const status = await device.call('update.status', {});
    const progress = status.ok ? status.value.progress : undefined;
    const now = progress === undefined ? 'asking …' : `${progress.writtenSegments} of ${progress.segments} segments`;
    if (!signal.aborted && now !== told) say(now);
    told = now;
  }
};

const outcomes: Readonly<Record<string, string>> = {
  'nothing-to-do': 'nothing to install',
  armed: 'written and proved; the next restart is its trial',
  'fallback-renewed': 'the other slot holds the running release now',
};

const rollBacks: Readonly<Record<string, string>> = {
  armed: 'the next restart tries the release before this one',
  'trial-ended': 'the trial has ended; the next start is the release before it',
};

const releaseJson = ({ digest, verityRoot, ...numbers }: SlotRelease) => ({
  ...numbers,
  digest: toHex(digest),
  verityRoot: toHex(verityRoot),
});

const slotJson = ({ release, ...status }: SlotStatus) => ({
  ...status,
  ...(release === undefined ? {} : { release: releaseJson(release) }),
});

/** Nothing where no proof was asked for. */
const logged = (log: string | undefined): string =>
  log === undefined ? '' : log === '' ? ', in the log of releases' : `, NOT SHOWN TO BE IN THE LOG OF RELEASES: ${log}`;

const floorLine = ({ floorEpoch, floorFault }: UpdateReport['slots']): string =>
  floorFault === undefined ? `floor epoch ${floorEpoch ?? 0}` : `floor not known (${floorFault}): nothing is installed`;

const shown = ({ slots, progress }: UpdateReport) => {
  const line = (name: 'a' | 'b') => {
    const { state, release, triesLeft, reason, log } = slots[name];
    const what = release === undefined ? '' : ` release ${release.counter}`;
    const tries = state === 'trial' ? `, ${triesLeft} tries left` : '';
    return `slot ${name}:${what} ${state}${tries}${reason === undefined ? '' : ` (${reason})`}${slots.running === name ? ', runs' : ''}${logged(log)}`;
  };
  return {
    text: [line('a'), line('b'), floorLine(slots)].join('\n'),
    json: {
      running: slots.running,
      a: slotJson(slots.a),
      b: slotJson(slots.b),
      ...(slots.floorEpoch === undefined ? {} : { floorEpoch: slots.floorEpoch }),
      ...(slots.floorFault === undefined ? {} : { floorFault: slots.floorFault }),
      ...(progress === undefined ? {} : { progress }),
    },
  };
};
