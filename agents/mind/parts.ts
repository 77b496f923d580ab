/** What the agents of the mind are given; each sees only what it lists. */

import type { VerifierLink } from '#agents/attest/verifier-link';
import type { AuditLog } from '#agents/audit/log';
import type { Engine } from '#agents/decision/engine';
import type { StateKeeper } from '#agents/management/state';
import type { SignedTime } from '#agents/management/time';
import type { StatementKeys } from '#agents/session/statements';
import type { Result } from '#hal/core/result';
import type { CryptoBackend } from '#hal/crypto/backend';
import type { Clock } from '#hal/ports/clock';
import type { Inference } from '#hal/ports/inference';
import type { Log } from '#hal/ports/log';
import type { RemoteHands } from '#hal/remote/hands-client';
import type { LinkStatus } from '#protos/gen/types';
import type { Trust } from './trust.ts';
import type { Watchers } from './watchers.ts';

export interface MindParts {
  readonly clock: Clock;
  readonly log: Log;
  readonly crypto: CryptoBackend;
  readonly hands: RemoteHands;
  readonly life: HandsLife;
  readonly link: LinkProbe;
  readonly inference: Inference;
  readonly verifier: VerifierLink;
  readonly audit: AuditLog;
  readonly engine: Engine;
  readonly state: StateKeeper;
  readonly trust: Trust;
  readonly time: TimeKeeper;
  readonly statementKeys: StatementKeys;
  readonly watchers: Watchers;
}

/** The present life of the hands: whose permits count, and the boot it belongs to. */
export interface HandsLife {
  readonly bootId: Uint8Array;
  readonly isSimulated: boolean;
  /** A permit for one call, or why none can be made. */
  mint(call: { readonly audience: string; readonly arguments: Uint8Array }, auditLeaf: Uint8Array): Promise<Result<Uint8Array>>;
}

/** What the network-facing program says of itself, where it answers. */
export interface LinkProbe {
  isAlive(signal: AbortSignal): Promise<boolean>;
  status(signal: AbortSignal): Promise<Result<LinkStatus>>;
}

export interface TimeKeeper {
  /** Milliseconds since 1970 by signed time; undefined where none was signed in this boot. */
  nowMs(): number | undefined;
  /** By the verifier, in answer to our nonce. */
  accept(time: SignedTime): void;
  /**
   * What somebody else signed, and therefore a time that has come. It answers no nonce, so it moves no clock and is not
   * kept (SR-16): it only lets the verifier go further ahead than one source may.
   */
  witness(signedMs: number): void;
}
