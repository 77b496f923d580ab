/**
 * Asks the hands of the machine that it runs on, as its mind does: at their door, under permits of this life (SR-01).
 * What it installs is the image that runs, under the statement that it was built with: another release of the same bytes.
 *
 * usage: node hands.cjs status | install | commit | giveUp REASON
 */

import { handsLife } from '#agents/mind/life';
import { socketFolder } from '#agents/package/accounts';

import { socketPath } from '#agents/programs/layout';
import { fromBase64, toHex } from '#hal/core/bytes';
import { done, ok, type Result } from '#hal/core/result';
import { linuxClock } from '#hal/linux/clock';
import { type PermittedCall, remoteHands } from '#hal/remote/hands-client';
import { handsMethods } from '#hal/remote/hands-methods';
import { socketClient } from '#hal/remote/socket-client';
import { segmentBytes, segmentCount, segmentLength } from '#ota-client/payload/limits';

/** Of the release: an envelope in base64, and how large its image is. Given when this is built. */
declare const RELEASE_STATEMENT: string;
declare const RELEASE_BYTES: string;

const owner = 'mind';
const client = socketClient(handsMethods, socketPath(socketFolder('agentd'), 'hands'));
const hands = remoteHands(client);

const install = async (perform: Perform): Promise<Result<unknown>> => {
  const statement = fromBase64(RELEASE_STATEMENT) ?? new Uint8Array();
  const imageBytes = Number(RELEASE_BYTES);
  const begun = await perform(hands.effectors.beginUpdate({ statement, owner, isForced: false }));
  if (!begun.ok) return begun;
  for (let segment = 0; segment < segmentCount(imageBytes); segment += 1) {
    const read = await hands.updates.readRunning(segment * segmentBytes, segmentLength(imageBytes, segment));
    const written = read.ok ? await hands.updates.write(owner, segment, read.value) : read;
    if (!written.ok) return written;
  }
  const finished = await hands.updates.finish(owner);
  return finished.ok ? perform(hands.effectors.armUpdate(statement)) : finished;
};

const status = async (): Promise<Result<unknown>> => {
  const said = await hands.updates.status();
  if (!said.ok) return said;
  const { running, runningRoot, a, b } = said.value;
  const shown = ({ state, release, triesLeft, reason }: typeof a) => ({ state, counter: release?.counter, triesLeft, reason });
  return ok({ running, runningRoot: toHex(runningRoot), a: shown(a), b: shown(b) });
};

type Perform = <T>(call: PermittedCall<T>) => Promise<Result<T>>;
const orders: Readonly<Record<string, (perform: Perform, word: string) => Promise<Result<unknown>>>> = {
  status,
  install,
  commit: (perform) => perform(hands.effectors.commitUpdate()),
  giveUp: (perform, reason) => perform(hands.effectors.giveUpTrial(reason)),
};

const main = async (name = '', word = ''): Promise<Result<unknown>> => {
  const hello = await hands.hello();
  if (!hello.ok) return hello;
  const life = handsLife(linuxClock(), hands.hello, hello.value);
  const perform: Perform = async (call) => {
    const permit = await life.mint(call, new Uint8Array(32));
    return permit.ok ? call.run(permit.value) : permit;
  };
  return (await orders[name]?.(perform, word)) ?? done;
};

void main(...process.argv.slice(2)).then((said) => {
  process.stdout.write(`${JSON.stringify(said)}\n`);
  client.close();
});
