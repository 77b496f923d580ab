/**
 * Two network namespaces joined by one cable, for tests and simulators: a device's network and the far end of it.
 *
 * They belong to nobody else, live as long as the process that made them, and touch nothing of the machine's network.
 * Limit: within a namespace made without root there is one user id, so rules by user are tested as root only.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { deny, ok, type Result } from '#hal/core/result';
import { linuxCommands } from './commands.ts';

export interface NetworkLab extends AsyncDisposable {
  readonly device: LabSide;
  readonly far: LabSide;
}

export interface LabSide {
  /** IPv4 address on the cable. */
  readonly address: string;
  /** What stands before a program so that it runs on this side. */
  readonly before: readonly string[];
  /** @returns what a program said on this side that ended with 0 */
  run(program: string, words: readonly string[]): Promise<Result<string>>;
}

const deviceAddress = '192.0.2.1';
const farAddress = '192.0.2.2';
const cable = { device: 'wan0', far: 'far0' } as const;

/** @returns the lab, or `unavailable/not-supported` where this machine does not let us make one */
export const networkLab = async (): Promise<Result<NetworkLab>> => {
  const isRoot = process.getuid?.() === 0;
  const holders: ChildProcess[] = [];
  const dispose = async () => {
    for (const holder of holders) holder.kill('SIGKILL');
    await Promise.all(holders.map((holder) => ended(holder)));
  };
  const hold = async (command: readonly string[]): Promise<Result<number>> => {
    const [program = '', ...words] = command;
    // The kernel kills it when we are gone, however that happens; the namespaces go with it.
    const holder = spawn('setpriv', ['--pdeathsig', 'KILL', program, ...words, 'sh', '-c', 'echo held; exec sleep infinity'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    holders.push(holder);
    const isHeld = await new Promise<boolean>((resolve) => {
      holder.stdout?.once('data', () => resolve(true));
      holder.once('exit', () => resolve(false)).once('error', () => resolve(false));
    });
    return isHeld && holder.pid !== undefined
      ? ok(holder.pid)
      : deny('unavailable', 'not-supported', 'this machine lets nobody make a network namespace here');
  };
  const entering = (processId: number) => [
    '/usr/bin/nsenter',
    `--target=${processId}`,
    ...(isRoot ? [] : ['--user']),
    '--net',
    '--preserve-credentials',
  ];

  const deviceHeld = await hold(isRoot ? ['unshare', '--net'] : ['unshare', '--user', '--map-root-user', '--net']);
  if (!deviceHeld.ok) return dispose().then(() => deviceHeld);
  const farHeld = await hold([...entering(deviceHeld.value), 'unshare', '--net']);
  if (!farHeld.ok) return dispose().then(() => farHeld);

  const side = (address: string, processId: number): LabSide => {
    const before = entering(processId);
    return { address, before, run: linuxCommands({ before }).run };
  };
  const device = side(deviceAddress, deviceHeld.value);
  const far = side(farAddress, farHeld.value);
  const steps: readonly (readonly [LabSide, string])[] = [
    [device, `link add ${cable.device} type veth peer name ${cable.far} netns ${farHeld.value}`],
    ...(
      [
        [device, cable.device],
        [far, cable.far],
      ] as const
    ).flatMap(([owner, name]): (readonly [LabSide, string])[] => [
      [owner, 'link set lo up'],
      [owner, `address add ${owner.address}/30 dev ${name}`],
      [owner, `link set ${name} up`],
    ]),
  ];
  for (const [owner, words] of steps) {
    const ran = await owner.run('/usr/sbin/ip', words.split(' '));
    if (!ran.ok) return dispose().then(() => ran);
  }
  return ok({ device, far, [Symbol.asyncDispose]: dispose });
};

const ended = (child: ChildProcess): Promise<void> =>
  new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) resolve();
    else child.once('exit', () => resolve());
  });
