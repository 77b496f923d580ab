/**
 * A witness: cosigns a tree of a log that it knows if that tree goes on from the one that it cosigned before, and no other
 * ever again. It says nothing of what is in the log (C2SP tlog-witness).
 */
import { utf8 } from '#hal/core/bytes';
import type { CryptoBackend } from '#hal/crypto/backend';
import { verifyConsistency } from '#hal/crypto/merkle';
import { encodeLine } from '#hal/crypto/signed-note';
import type { HybridPublicKey, HybridSecretKey } from '#hal/crypto/suites';
import type { Clock } from '#hal/ports/clock';
import type { DurableStore } from '#hal/ports/durable-store';
import { openLogCheckpoint, readCheckpoint } from './checkpoint.ts';
import { cosign } from './cosignature.ts';
import { seenLog } from './seen.ts';
import { readRequest, type WitnessAnswer } from './witness-request.ts';

export interface WitnessParts {
  readonly crypto: CryptoBackend;
  readonly name: string;
  readonly secret: HybridSecretKey;
  /** Keys of the logs that it watches, by origin. */
  readonly logs: ReadonlyMap<string, HybridPublicKey>;
  readonly store: Pick<DurableStore, 'get' | 'put'>;
  readonly clock: Pick<Clock, 'nowMs'>;
}

const emptyTree = 0;
const nothing = new Uint8Array();
const answer = (status: WitnessAnswer['status'], body: Uint8Array = nothing): WitnessAnswer => ({ status, body });

/**
 * Comparing and keeping happen in one turn, with nothing awaited between: two requests at once cannot roll it back.
 * @param body as `encodeRequest` makes it
 */
export const addCheckpoint = ({ crypto, name, secret, logs, store, clock }: WitnessParts, body: Uint8Array): WitnessAnswer => {
  const request = readRequest(body);
  if (!request.ok) return answer(400);
  const { oldSize, path, checkpoint } = request.value;
  const said = readCheckpoint(checkpoint);
  if (!said.ok) return answer(400);
  const { origin, size, root } = said.value.checkpoint;
  const key = logs.get(origin);
  if (key === undefined) return answer(404);
  if (!openLogCheckpoint(crypto, checkpoint, origin, key).ok) return answer(403);
  if (oldSize > size) return answer(400);
  const seen = seenLog(store, `cosigned ${origin}`);
  const before = seen.read();
  if (!before.ok) return answer(500);
  if (oldSize !== (before.value?.size ?? emptyTree)) return answer(409, utf8(`${before.value?.size ?? emptyTree}\n`));
  if (before.value !== undefined && !verifyConsistency(oldSize, size, path, before.value.root, root))
    return oldSize === size ? answer(409, utf8(`${oldSize}\n`)) : answer(422);
  if (before.value === undefined && path.length > 0) return answer(422);
  // Kept first: what was cosigned and forgotten could be cosigned otherwise.
  if (!seen.keep({ size, root }).ok) return answer(500);
  const lines = cosign(crypto, said.value.note.text, name, secret, clock.nowMs());
  return answer(200, utf8(lines.map(encodeLine).join('')));
};
