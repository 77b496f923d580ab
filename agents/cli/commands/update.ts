/** enigmctl update: which release runs, what is offered, and installing it. */
import type { Command } from 'commander';
import type { ApiMethods } from '#agents/api/methods';
import { toHex } from '#hal/core/bytes';
import { linuxClock } from '#hal/linux/clock';
import type { SocketClient } from '#hal/remote/socket-client';
import type { SlotRelease, SlotStatus, UpdateReport } from '#protos/gen/types';
import { answer } from '../console.ts';
import type { Run } from '../context.ts';
import { withDevice } from '../device.ts';
import { readAll, recordJson, recordLine, recordOf } from './audit.ts';

const tellEveryMs = 500;

interface InstallOptions {
  readonly repair?: boolean;
  readonly force?: boolean;
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
    .description('fetch, write, prove and arm what is offered; it starts at the next restart')
    .action(
      run(({ console, runDirectory }, { repair = false, force = false }: InstallOptions) =>
        withDevice(runDirectory, async (device) => {
          const installing = device.call('update.install', { isRepair: repair, isForced: force });
          const told = new AbortController();
          const telling = tell(device, console.say, told.signal);
          const installed = await installing;
          told.abort();
          await telling;
          return answer(console, installed, ({ outcome }) => ({ text: outcomes[outcome] ?? outcome, json: { outcome } }));
        }),
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

const shown = ({ slots, progress }: UpdateReport) => {
  const line = (name: 'a' | 'b') => {
    const { state, release, triesLeft, reason, log } = slots[name];
    const what = release === undefined ? '' : ` release ${release.counter}`;
    const tries = state === 'trial' ? `, ${triesLeft} tries left` : '';
    return `slot ${name}:${what} ${state}${tries}${reason === undefined ? '' : ` (${reason})`}${slots.running === name ? ', runs' : ''}${logged(log)}`;
  };
  return {
    text: [line('a'), line('b'), `floor epoch ${slots.floorEpoch}`].join('\n'),
    json: {
      running: slots.running,
      a: slotJson(slots.a),
      b: slotJson(slots.b),
      floorEpoch: slots.floorEpoch,
      ...(progress === undefined ? {} : { progress }),
    },
  };
};
