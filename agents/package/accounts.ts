/**
 * Users of the programs (SR-31), and their folders: what sysusers.d(5) and tmpfiles.d(5) are told.
 *
 * Each program has a folder of its own for sockets, in which nobody else can make one: who holds a program cannot pass
 * for another. There it finds links to the sockets that it calls; their folders let in whoever is in the group of the
 * program that serves them.
 */
import { deviceLayout, type socketNames, socketPath } from '#agents/programs/layout';
import { type ProgramName, programNames } from '#agents/supervisor/launch';
import { installed } from './places.ts';

type Door = keyof typeof socketNames;

interface Account {
  readonly does: string;
  /** Doors of others that it knocks at. */
  readonly calls: readonly Door[];
  /** What it keeps, where it keeps anything. */
  readonly keeps?: string;
  /** Of the machine. */
  readonly groups?: readonly string[];
}

const kept = deviceLayout(installed.directory);

export const accounts: Readonly<Record<ProgramName, Account>> = {
  beacond: { does: 'beacon relay', calls: ['relay'], keeps: kept.beacon, groups: ['dialout'] },
  hald: { does: 'hands', calls: [], keeps: kept.hands },
  linkd: { does: 'mouth', calls: [] },
  inferd: { does: 'tensor engine', calls: [] },
  agentd: { does: 'mind', calls: ['hands', 'link', 'inference'], keeps: kept.mind },
  paged: { does: 'Trust Security Center page', calls: ['feed'] },
};

/** Who serves what. The filtered TPM is not called by anybody yet. */
const servedBy: Readonly<Record<Exclude<Door, 'tpm'>, ProgramName>> = {
  ...{ hands: 'hald', factory: 'hald', relay: 'hald', link: 'linkd', inference: 'inferd' },
  ...{ api: 'agentd', feed: 'agentd', beacon: 'beacond' },
};

export const userOf = (name: ProgramName): string => `enigm-${name}`;
export const socketFolder = (name: ProgramName): string => `${installed.runDirectory}/${name}`;

/** sysusers.d(5). */
export const sysusers = (): string =>
  lines(
    ...programNames.map((name) => `u ${userOf(name)} - "Enigm Device ${accounts[name].does}" ${installed.directory}`),
    ...programNames.flatMap((name) => groupsOf(name).map((group) => `m ${userOf(name)} ${group}`)),
  );

const groupsOf = (name: ProgramName): readonly string[] => {
  const servers = accounts[name].calls.map((door) => userOf(servedBy[door as keyof typeof servedBy]));
  return [...new Set([...servers, ...(accounts[name].groups ?? [])])];
};

/** tmpfiles.d(5). */
export const tmpfiles = (): string =>
  lines(
    `d ${installed.directory} 0755 root root`,
    ...programNames.flatMap((name) => {
      const { keeps } = accounts[name];
      return keeps === undefined ? [] : [`d ${keeps} 0700 ${userOf(name)} ${userOf(name)}`];
    }),
    `d ${installed.runDirectory} 0755 root root`,
    ...programNames.map((name) => `d ${socketFolder(name)} 0750 ${userOf(name)} ${userOf(name)}`),
    ...programNames.flatMap((name) => accounts[name].calls.map((door) => linkTo(door, socketFolder(name)))),
    // Where enigmctl looks.
    ...(['factory', 'api', 'beacon'] as const).map((door) => linkTo(door, installed.runDirectory)),
    `L+ ${installed.runDirectory}/page.url - - - - ${socketFolder('paged')}/page.url`,
  );

const linkTo = (door: Door, folder: string): string =>
  `L+ ${socketPath(folder, door)} - - - - ${socketPath(socketFolder(servedBy[door as keyof typeof servedBy]), door)}`;

const lines = (...texts: readonly string[]): string => texts.map((text) => `${text}\n`).join('');
