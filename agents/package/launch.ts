/** How an installed program is started, behind Node itself: each in a folder of sockets of its own. */
import { type Launch, launchHands, launchOf, type ProgramName } from '#agents/supervisor/launch';
import { socketFolder, tpmFolder, userOf } from './accounts.ts';
import { installed } from './places.ts';

/** What the hands of one machine have that those of another have not. */
export interface HandsPlaces {
  /** What became of the data partition. */
  readonly data: string;
  readonly reads?: readonly string[];
  readonly writes: readonly string[];
}

export const launchInstalled = (name: ProgramName, { data, reads = [], writes }: HandsPlaces): Launch => {
  const places = { ...installed, runDirectory: socketFolder(name) };
  if (name !== 'hald') return launchOf(name, places);
  return launchHands(places, {
    ...{ script: `${installed.programs}/hald.cjs`, addon: installed.addon, writes: [tpmFolder, ...writes] },
    reads: ['/etc/passwd', ...reads],
    words: [
      ...['--data', data, '--tpm-run', tpmFolder],
      ...['--mind-user', userOf('agentd'), '--mouth-user', userOf('linkd'), '--relay-user', userOf('beacond')],
    ],
  });
};
