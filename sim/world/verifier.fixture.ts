/** A verifier in memory that knows the device: what it answers is drawn, and remembered as the truth. */
import type { VerifierLink } from '#agents/attest/verifier-link';
import type { AttestationResult, Status } from '#attestation/result';
import { deny, ok, type Result } from '#hal/core/result';
import type { Weather } from './faults.ts';
import { handleOf } from './machine.fixture.ts';

export interface MemoryVerifier extends Pick<VerifierLink, 'enrol' | 'attest'> {
  isDown: boolean;
  /** What it will say next. */
  status: Status;
  /** Every result it gave: when on the boot clock, and until when it holds. */
  readonly given: {
    readonly status: Status;
    readonly relyingParty: string;
    readonly atBootMs: number;
    readonly untilBootMs: number;
  }[];
}

const lifeSeconds = 600;
const longestDelayMs = 800;

/** @param nowMs the verifier's own wall clock */
export const memoryVerifier = (weather: Weather, nowMs: () => number): MemoryVerifier => {
  const { clock, draw } = weather;
  const answer = async (
    relyingParty: string,
    bootId: Uint8Array,
    epoch: number,
    signal: AbortSignal,
  ): Promise<Result<AttestationResult>> => {
    if (weather.isStormy) await clock.sleep(draw.below(longestDelayMs), signal);
    if (verifier.isDown || (weather.isStormy && draw.oneIn(5))) return deny('unavailable', 'peer-unreachable');
    const issuedAtSeconds = Math.floor(nowMs() / 1000);
    const atBootMs = clock.bootMs();
    verifier.given.push({ status: verifier.status, relyingParty, atBootMs, untilBootMs: atBootMs + lifeSeconds * 1000 });
    return ok({
      verifier: 'verifier-in-memory',
      relyingParty,
      status: verifier.status,
      trustVector: {},
      tpmClass: 'software',
      policy: 'test',
      deviceNonce: new Uint8Array(32),
      confirmationKey: new Uint8Array(32),
      handle: handleOf(relyingParty, epoch),
      epoch,
      bootId,
      issuedAtSeconds,
      expiresAtSeconds: issuedAtSeconds + lifeSeconds,
    });
  };
  const verifier: MemoryVerifier = {
    isDown: false,
    status: 'affirming',
    given: [],
    enrol: async ({ bootId, epoch }, signal) => {
      const result = await answer('enrolment', bootId, epoch, signal);
      return result.ok ? ok({ device: new Uint8Array(16).fill(5), result: result.value }) : result;
    },
    attest: ({ bootId, epoch }, relyingParty, signal) => answer(relyingParty, bootId, epoch, signal),
  };
  return verifier;
};
