/**
 * What an owned mouth tries: the TPM's device, the door of the hands, and commands of its own behind the filter, in raw
 * bytes, since the tools of a TPM stop earlier and would prove nothing (SR-02).
 *
 * usage: node mouth.cjs
 */
import { openSync } from 'node:fs';
import { connect } from 'node:net';
import { socketFolder, tpmFolder } from '#agents/package/accounts';
import { socketPath } from '#agents/programs/layout';
import { concat, toHex, u16be, u32be } from '#hal/core/bytes';
import { causeOf, ok } from '#hal/core/result';
import { linuxClock } from '#hal/linux/clock';

/** TPM 2.0 Part 2 §6.5.2, TPM_CC. */
const commands = {
  quote: 0x158,
  'increment-counter': 0x134,
  unseal: 0x15e,
  clear: 0x126,
  'evict-key': 0x120,
  'extend-register': 0x182,
  'create-key': 0x131,
} as const;
const withSessions = 0x8002;
const attestationKey = 0x8101_0020;
const passwordArea = concat(u32be(9), u32be(0x4000_0009), u16be(0), Uint8Array.of(0), u16be(0));
const answerWithinMs = 20_000;
const never = new AbortController().signal;
const clock = linuxClock();

const fileOutcome = (path: string): string => {
  try {
    openSync(path, 'r+');
    return 'OPENED';
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? causeOf(error);
  }
};

/** Connects, and waits whether it is thrown out. @param request sent in the framing of the filter */
const socketOutcome = (path: string, request: Uint8Array): Promise<string> =>
  new Promise((resolve) => {
    const socket = connect(path);
    const end = (outcome: string) => {
      socket.destroy();
      resolve(outcome);
    };
    socket.on('connect', () => socket.write(request));
    socket.on('error', (error: NodeJS.ErrnoException) => end(error.code ?? 'error'));
    socket.on('close', () => end('thrown out'));
    // Length, then the response, whose code stands behind tag and size.
    socket.once('data', (bytes) => end(bytes.length < 14 ? toHex(bytes) : `0x${bytes.readUInt32BE(10).toString(16)}`));
    void clock.sleep(answerWithinMs, never).then(() => end('no answer'));
  });

const commandOf = (code: number): Uint8Array => {
  const body = concat(u32be(attestationKey), passwordArea, new Uint8Array(16));
  const command = concat(u16be(withSessions), u32be(10 + body.length), u32be(code), body);
  return concat(u32be(8), Uint8Array.of(0), u32be(command.length), command);
};

const main = async (): Promise<Readonly<Record<string, string>>> => {
  const hands = socketFolder('hald');
  const said: Record<string, string> = {
    device: fileOutcome('/dev/tpm0'),
    'resource manager': fileOutcome('/dev/tpmrm0'),
    'memory of the mind': fileOutcome('/var/lib/enigm/mind/mind.db'),
    'door of the hands': await socketOutcome(socketPath(hands, 'hands'), new Uint8Array(64)),
    'door of the factory': await socketOutcome(socketPath(hands, 'factory'), new Uint8Array(64)),
  };
  for (const [name, code] of Object.entries(commands))
    said[name] = await socketOutcome(socketPath(tpmFolder, 'tpm'), commandOf(code));
  return said;
};

void main().then((said) => {
  process.stdout.write(`${JSON.stringify(ok(said))}\n`);
  process.exit();
});
