/**
 * Keys in PKCS #11 tokens, through `enigm-token` (hal/native/token): a vendor's module runs in a process of its own, with
 * the environment of whoever signs, since modules are configured there.
 */
import { spawn } from 'node:child_process';
import { concat, u8, wipe } from '#hal/core/bytes';
import { isPin, maxPinBytes } from '#hal/core/pin';
import { deny, ok, type Result } from '#hal/core/result';
import type { SigningToken, TokenKey } from '#hal/ports/signing-token';

export interface TokenProgram {
  /** Path of `enigm-token`. */
  readonly program: string;
  /** 1 to 255 bytes. */
  readonly pin: Uint8Array;
}

/** A person may have to touch the token. */
const patienceMs = 120_000;
const maxAnswerBytes = 4096;
export const maxTokenMessageBytes = 4 * 1024 * 1024;

export const pkcs11Token = ({ program, pin }: TokenProgram, { module, token, key }: TokenKey): SigningToken => {
  const ask = async (verb: 'make' | 'sign', message: Uint8Array, answerBytes: number): Promise<Result<Uint8Array>> => {
    if (!isPin(pin)) return deny('identity', 'pin-refused', `a PIN of 1 to ${maxPinBytes} bytes`);
    if (message.length > maxTokenMessageBytes) return deny('protocol', 'too-large', `${message.length} bytes to sign`);
    const input = concat(u8(pin.length), pin, message);
    const answer = await runToEnd(program, [verb, module, token, key], input);
    wipe(input);
    if (!answer.ok) return answer;
    return answer.value.length === answerBytes ? answer : deny('unavailable', 'token-failed', `${answer.value.length} bytes`);
  };
  return {
    make: () => ask('make', new Uint8Array(), 32),
    sign: (message) => ask('sign', message, 64),
  };
};

/** By the exit codes of `enigm-token`. */
const refusalOf = (code: number | null, why: string): Result<never> => {
  if (code === 3) return deny('unavailable', 'token-missing', why);
  return code === 4 ? deny('identity', 'pin-refused', why) : deny('unavailable', 'token-failed', why);
};

const runToEnd = (program: string, words: readonly string[], input: Uint8Array): Promise<Result<Uint8Array>> =>
  new Promise((resolve) => {
    const child = spawn(program, words, { stdio: 'pipe', timeout: patienceMs, killSignal: 'SIGKILL' });
    const said: { out: Buffer[]; error: Buffer[] } = { out: [], error: [] };
    const keep = (kept: Buffer[]) => (part: Buffer) => {
      if (Buffer.concat(kept).length + part.length <= maxAnswerBytes) kept.push(part);
    };
    child.stdout.on('data', keep(said.out));
    child.stderr.on('data', keep(said.error));
    child.on('error', (error) => resolve(deny('unavailable', 'token-missing', error.message)));
    child.on('close', (code) => {
      const why = Buffer.concat(said.error).toString('utf8').trim();
      resolve(code === 0 ? ok(new Uint8Array(Buffer.concat(said.out))) : refusalOf(code, why));
    });
    // A child that ended at once reads nothing; why it ended is what `close` tells.
    child.stdin.on('error', () => undefined);
    child.stdin.end(input);
  });
