/** What a machine of the simulator opens to its host, and its host to it: by name, nothing else. */
import type { socketNames } from '#agents/programs/layout';

/** Doors of the machine's programs that a person, a technician or an app at the machine would use. */
export const machineDoors = ['api', 'factory', 'beacon'] as const satisfies readonly (keyof typeof socketNames)[];
export type MachineDoor = (typeof machineDoors)[number];

/** The page of the device, by TCP. */
export const pageDoor = 'page';
/** From the machine to its host, each time that there is a new one. */
export const pageLinkDoor = 'page-link';

const file = 'file ';
/** A file of the machine, once. */
export const fileDoor = (path: string): string => `${file}${path}`;
export const fileOf = (name: string): string | undefined => (name.startsWith(file) ? name.slice(file.length) : undefined);

/** Parts that the emulator has not (battery, radios, what programs call): asked for by the hands, answered by the host. */
export const peripheralsDoor = 'peripherals';
/** What somebody with a debugger can do to a program. */
export const signalDoor = (program: string, signal: string): string => `signal ${program} ${signal}`;

export const parseSignalDoor = (name: string): { readonly program: string; readonly signal: NodeJS.Signals } | undefined => {
  const found = /^signal (hald|agentd|linkd|inferd|beacond|paged) (SIGKILL|SIGSTOP|SIGCONT)$/.exec(name);
  return found === null ? undefined : { program: found[1] ?? '', signal: found[2] as NodeJS.Signals };
};

export const isMachineDoor = (name: string): name is MachineDoor => (machineDoors as readonly string[]).includes(name);

/** Where the hands find the host in the machine. */
export const peripheralsSocket = '/run/enigm-sim/peripherals.sock';
/** The line between them: a console that is a terminal to the machine. */
export const lineDevice = '/dev/hvc0';
