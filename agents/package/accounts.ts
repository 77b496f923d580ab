/**
 * Users of the programs (SR-31), and their folders, as sysusers.d(5) and tmpfiles.d(5) are told.
 *
 * Each program has a folder of its own for sockets, in which nobody else can make one: who holds a program cannot pass
 * for another. There it finds links to the sockets that it calls; their folders let in whoever is in the group of the
 * program that serves them; that of the filtered TPM, the group of the mouth.
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
  /** Of the kernel (capabilities(7)), beyond those of any user. */
  readonly capabilities?: readonly Capability[];
  /** A network of its own, with nobody in it; sockets of the file system are no part of that. */
  readonly isAlone?: boolean;
}

export type Capability = 'NET_ADMIN' | 'DAC_OVERRIDE' | 'FOWNER' | 'LINUX_IMMUTABLE';

const kept = deviceLayout(installed.directory);

export const accounts: Readonly<Record<ProgramName, Account>> = {
  beacond: { does: 'beacon relay', calls: ['relay'], keeps: kept.beacon, groups: ['dialout'] },
  // Packet rules; the TPM, the log of the boot and the restart of the machine, whose files are root's.
  hald: { does: 'hands', calls: [], keeps: kept.hands, capabilities: ['NET_ADMIN', 'DAC_OVERRIDE'] },
  linkd: { does: 'mouth', calls: ['tpm', 'tpmControl', 'tpmKey'] },
  inferd: { does: 'tensor engine', calls: [], isAlone: true },
  agentd: { does: 'mind', calls: ['hands', 'link', 'inference'], keeps: kept.mind, isAlone: true },
  paged: { does: 'Trust Security Center page', calls: ['feed'] },
};

/** Who serves what. */
const servedBy: Readonly<Record<Door, ProgramName>> = {
  ...{ hands: 'hald', factory: 'hald', relay: 'hald', tpm: 'hald', tpmControl: 'hald', tpmKey: 'hald' },
  ...{ link: 'linkd', inference: 'inferd' },
  ...{ api: 'agentd', feed: 'agentd', beacon: 'beacond' },
};

export const userOf = (name: ProgramName): string => `enigm-${name}`;
export const socketFolder = (name: ProgramName): string => `${installed.runDirectory}/${name}`;

/**
 * Of the hands, for the mouth alone: whoever speaks with the network comes into no folder in which the hands serve anybody
 * else (SR-02, SR-31).
 */
export const tpmFolder = `${installed.runDirectory}/tpm`;
const tpmDoors: readonly Door[] = ['tpm', 'tpmControl', 'tpmKey'];
const folderOf = (door: Door): string => (tpmDoors.includes(door) ? tpmFolder : socketFolder(servedBy[door]));

/** Groups that a program is in, beside its own. */
export const groupsOf = (name: ProgramName): readonly string[] => {
  const servers = accounts[name].calls.flatMap((door) => (tpmDoors.includes(door) ? [] : [userOf(servedBy[door])]));
  return [...new Set([...servers, ...(accounts[name].groups ?? [])])];
};

export interface Folder {
  readonly path: string;
  /** With 0o2000 what is made in it has its group. */
  readonly mode: 0o700 | 0o750 | 0o755 | 0o2750;
  readonly owner: string;
  /** That of the owner's name where none is named. */
  readonly group?: string;
}

/** What is made before the programs start, in this order. */
export const folders = (): readonly Folder[] => [
  { path: installed.directory, mode: 0o755, owner: 'root' },
  ...programNames.flatMap((name): readonly Folder[] => {
    const { keeps } = accounts[name];
    return keeps === undefined ? [] : [{ path: keeps, mode: 0o700, owner: userOf(name) }];
  }),
  { path: installed.runDirectory, mode: 0o755, owner: 'root' },
  ...programNames.map((name): Folder => ({ path: socketFolder(name), mode: 0o750, owner: userOf(name) })),
  { path: tpmFolder, mode: 0o2750, owner: userOf('hald'), group: userOf('linkd') },
];

/** What a program may write. */
export const foldersOf = (name: ProgramName): readonly string[] =>
  folders().flatMap(({ path, owner }) => (owner === userOf(name) ? [path] : []));

export interface Link {
  readonly path: string;
  readonly target: string;
}

export const links = (): readonly Link[] => [
  ...programNames.flatMap((name) => accounts[name].calls.map((door) => linkTo(door, socketFolder(name)))),
  // Where enigmctl looks.
  ...(['factory', 'api', 'beacon'] as const).map((door) => linkTo(door, installed.runDirectory)),
  { path: `${installed.runDirectory}/page.url`, target: `${socketFolder('paged')}/page.url` },
];

const linkTo = (door: Door, folder: string): Link => ({
  path: socketPath(folder, door),
  target: socketPath(folderOf(door), door),
});

/** sysusers.d(5). */
export const sysusers = (): string =>
  lines(
    ...programNames.map((name) => `u ${userOf(name)} - "Enigm Device ${accounts[name].does}" ${installed.directory}`),
    ...programNames.flatMap((name) => groupsOf(name).map((group) => `m ${userOf(name)} ${group}`)),
  );

/** tmpfiles.d(5). */
export const tmpfiles = (): string =>
  lines(
    ...folders().map(({ path, mode, owner, group = owner }) => `d ${path} 0${mode.toString(8)} ${owner} ${group}`),
    ...links().map(({ path, target }) => `L+ ${path} - - - - ${target}`),
  );

const lines = (...texts: readonly string[]): string => texts.map((text) => `${text}\n`).join('');
