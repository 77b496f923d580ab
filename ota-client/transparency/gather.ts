/** What a keeper asks of its witnesses: that each cosigns the newest tree, from whatever tree it saw last. */
import { deny, ok, type Result } from '#hal/core/result';
import type { CryptoBackend } from '#hal/crypto/backend';
import { consistencyProof } from '#hal/crypto/merkle';
import { encodeNote, readLines, type SignatureLine, type SignedNote } from '#hal/crypto/signed-note';
import { cosignedBy, linesOf, type WitnessKey } from './cosignature.ts';
import type { LogTree } from './tree.ts';
import { encodeRequest, type WitnessAnswer } from './witness-request.ts';

/** A witness and how it is reached. */
export interface AskedWitness extends WitnessKey {
  /** @param body of `add-checkpoint`. @returns the answer; or the fault of the way there */
  readonly ask: (body: Uint8Array) => Promise<Result<WitnessAnswer>>;
}

export interface Gathering {
  readonly crypto: CryptoBackend;
  readonly witnesses: readonly AskedWitness[];
  /** Cosignatures without which nothing is proved. */
  readonly threshold: number;
}

/**
 * @param checkpoint of this tree, signed by the log
 * @returns it with the cosignatures of all who gave one; or `integrity/witnesses-missing`, naming who did not
 */
export const gatherCosignatures = async (
  { crypto, witnesses, threshold }: Gathering,
  tree: LogTree,
  checkpoint: SignedNote,
): Promise<Result<Uint8Array>> => {
  const given: SignatureLine[] = [];
  const silent: string[] = [];
  for (const witness of witnesses) {
    const lines = await cosignatureOf(witness, tree, encodeNote(checkpoint));
    const note = { text: checkpoint.text, lines: lines.ok ? lines.value : [] };
    const counted = cosignedBy(crypto, note, witness);
    if (counted.ok && counted.value !== undefined) given.push(...linesOf(note, witness));
    else silent.push(witness.name);
  }
  const counts = witnesses.length - silent.length;
  if (counts < threshold)
    return deny('integrity', 'witnesses-missing', `${counts} of ${threshold}, without ${silent.join(', ')}`);
  return ok(encodeNote({ ...checkpoint, lines: [...checkpoint.lines, ...given] }));
};

/** A first question to learn what it cosigned last, and a second one from there. */
const cosignatureOf = async (
  { ask }: AskedWitness,
  tree: LogTree,
  checkpoint: Uint8Array,
): Promise<Result<readonly SignatureLine[]>> => {
  const askFrom = (oldSize: number) =>
    ask(encodeRequest({ oldSize, path: consistencyProof(tree.nodes, oldSize, tree.size), checkpoint }));
  let answered = await askFrom(0);
  if (answered.ok && answered.value.status === 409) {
    const oldSize = sizeOf(answered.value.body);
    if (oldSize > tree.size) return deny('integrity', 'log-rollback', `a witness saw ${oldSize}`);
    answered = await askFrom(oldSize);
  }
  if (!answered.ok) return answered;
  const { status, body } = answered.value;
  return status === 200 ? readLines(textOf(body)) : deny('integrity', 'log-split', `a witness answered ${status}`);
};

const textOf = (bytes: Uint8Array): string => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8');

/** @returns the size; infinite where there is none, which no tree has */
const sizeOf = (body: Uint8Array): number => Number(/^(0|[1-9]\d{0,15})\n$/.exec(textOf(body))?.[1] ?? Number.POSITIVE_INFINITY);
