/**
 * The message broker of the simulated fleet: a real Mosquitto on the loopback address, TLS 1.3, client certificates,
 * each device alone on its two topics.
 *
 * It is given nothing to know: client names and topics are random labels, payloads are sealed (SR-20).
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { deny, ok, type Result } from '#hal/core/result';
import type { Clock } from '#hal/ports/clock';
import { certifyServer } from './authority.ts';
import { freePort } from './free-port.ts';
import type { PeerSecrets } from './secrets.ts';

export interface BrokerPeer {
  readonly host: string;
  readonly port: number;
  /** Everything that the broker wrote down. */
  readonly logPath: string;
  /** Stops at once, as a crash would. */
  kill(): Promise<void>;
  /** Starts again on the same port with what it had stored. */
  restart(): Promise<Result<void>>;
  close(): Promise<void>;
}

export interface BrokerPeerOptions {
  readonly directory: string;
  readonly secrets: Pick<PeerSecrets, 'tlsAuthority' | 'fleetAuthority'>;
  readonly clock: Clock;
  /** The one client that may speak to every device: 32 hexadecimal digits. */
  readonly commandLabel: string;
}

const program = '/usr/sbin/mosquitto';
const host = '127.0.0.1';
const readyWithinMs = 10_000;
const never = new AbortController().signal;

/** @returns the running broker, or `unavailable/not-supported` where Mosquitto is not installed */
export const startBroker = async (options: BrokerPeerOptions): Promise<Result<BrokerPeer>> => {
  if (!existsSync(program)) return deny('unavailable', 'not-supported', 'apt-get install mosquitto');
  const directory = join(options.directory, 'broker');
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const port = await freePort();
  const configuration = await writeConfiguration(directory, port, options);
  const logPath = join(directory, 'mosquitto.log');
  let child: ChildProcess | undefined;

  const start = async (): Promise<Result<void>> => {
    const output = createWriteStream(logPath, { flags: 'a', mode: 0o600 });
    child = spawn('setpriv', ['--pdeathsig', 'KILL', program, '-c', configuration, '-v'], { stdio: ['ignore', 'pipe', 'pipe'] });
    let said = '';
    const isReady = new Promise<boolean>((resolve) => {
      const read = (text: Buffer) => {
        output.write(text);
        said = (said + text.toString()).slice(-4000);
        if (/mosquitto version \S+ running/.test(said)) resolve(true);
      };
      child?.stdout?.on('data', read);
      child?.stderr?.on('data', read);
      child?.once('exit', () => resolve(false)).once('error', () => resolve(false));
    });
    const isLate = options.clock.sleep(readyWithinMs, never).then(() => false);
    return (await Promise.race([isReady, isLate])) ? ok(undefined) : deny('unavailable', 'broker-unreachable', said.trim());
  };
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    const running = child;
    child = undefined;
    if (running === undefined || running.exitCode !== null || running.signalCode !== null) return;
    const ended = new Promise<void>((resolve) => running.once('exit', () => resolve()));
    running.kill(signal);
    await ended;
  };

  const started = await start();
  if (!started.ok) return started;
  return ok({ host, port, logPath, kill: () => end('SIGKILL'), restart: start, close: () => end('SIGTERM') });
};

const writeConfiguration = async (
  directory: string,
  port: number,
  { secrets, clock, commandLabel }: BrokerPeerOptions,
): Promise<string> => {
  const { certificate, key } = await certifyServer(secrets.tlsAuthority, clock);
  const file = (name: string, text: string): string => {
    const path = join(directory, name);
    writeFileSync(path, text, { mode: 0o600 });
    return path;
  };
  const access = [
    `user ${commandLabel}`,
    'topic readwrite enigm/v1/#',
    '',
    'pattern write enigm/v1/%u/up',
    'pattern read enigm/v1/%u/down',
  ];
  const lines = [
    `listener ${port} ${host}`,
    `certfile ${file('server.pem', certificate)}`,
    `keyfile ${file('server.key', key)}`,
    `cafile ${file('clients.pem', secrets.fleetAuthority.certificate)}`,
    'tls_version tlsv1.3',
    'require_certificate true',
    'use_identity_as_username true',
    'allow_anonymous false',
    `acl_file ${file('access', `${access.join('\n')}\n`)}`,
    'persistence true',
    `persistence_location ${directory}/`,
    // Written after every change: a killed broker knows what it acknowledged a second ago, not always the last message.
    'autosave_on_changes true',
    'autosave_interval 1',
    'max_packet_size 300000',
    'log_type all',
    'user root',
  ];
  return file('mosquitto.conf', `${lines.join('\n')}\n`);
};
