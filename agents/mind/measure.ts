/** Reading everything that the posture is judged from, each probe with its own time limit. */

import { createHash } from 'node:crypto';
import { attestedPcrs } from '#agents/attest/collect';
import type { AuditLog } from '#agents/audit/log';
import type { Observations, Observed } from '#agents/posture/observations';
import type { AgentHealth } from '#agents/supervisor/agent';
import { replayAgainst } from '#attestation/appraise';
import { checkSemantics } from '#attestation/eventlog/semantics';
import { equalBytes } from '#hal/core/bytes';
import { within } from '#hal/core/deadline';
import { codeOf, type Result } from '#hal/core/result';
import type { Clock } from '#hal/ports/clock';
import type { SlotsReading } from '#hal/ports/updater';
import type { RemoteHands } from '#hal/remote/hands-client';
import type { HandsHello, LinkStatus } from '#protos/gen/types';
import type { LinkProbe, TimeKeeper } from './parts.ts';
import { isRefusal, lifeMs, ownParty, type Trust } from './trust.ts';

export interface MeasureParts {
  readonly clock: Clock;
  readonly hands: RemoteHands;
  readonly audit: AuditLog;
  readonly trust: Trust;
  readonly time: TimeKeeper;
  readonly lifecycle: () => string;
  readonly link: Pick<LinkProbe, 'status'>;
  /** The programs besides this one: whether each answers. */
  readonly programs: Readonly<Record<string, (signal: AbortSignal) => Promise<boolean>>>;
  /** The agents of this program. */
  readonly agents: () => readonly AgentHealth[];
}

/** A program that does not answer within this time is not running as it should. */
export const probeLimitMs = 3_000;

export const measure = async (parts: MeasureParts): Promise<Observations> => {
  const { clock, hands, audit, trust, time } = parts;
  const now = <T>(value: T): Observed<T> => ({ value, measuredBootMs: clock.bootMs() });
  const probe = <T>(run: (signal: AbortSignal) => Promise<Result<T>>) => within(clock, probeLimitMs, run);
  const [platform, identity, boot, slots, hello, link, programs] = await Promise.all([
    probe(() => hands.platform.read()),
    probe(() => hands.tpm.identity()),
    probe(() => judgeBoot(hands)),
    probe(() => hands.updates.status()),
    probe(() => hands.hello()),
    probe((signal) => parts.link.status(signal)),
    Promise.all(
      Object.entries(parts.programs).map(async ([name, isAlive]) => ({ name, isRunning: await answers(clock, isAlive) })),
    ),
  ]);
  const held = trust.result(ownParty);
  const fault = trust.attestationFault();
  const trustedMs = time.nowMs();
  const engine = trust.engine();
  return {
    programs: now([...programs, ...parts.agents().map(({ name, isRunning }) => ({ name: `agent-${name}`, isRunning }))]),
    audit: now({ state: audit.status().state }),
    lifecycle: now(parts.lifecycle()),
    time: now({
      isKnown: trustedMs !== undefined,
      offsetSeconds: trustedMs === undefined ? 0 : Math.round((clock.nowMs() - trustedMs) / 1000),
    }),
    ...(platform.ok ? { platform: now(platform.value) } : {}),
    ...(identity.ok ? { tpm: now({ tpmClass: trust.tpmClass() }) } : {}),
    ...(boot.ok ? { boot: now(boot.value) } : {}),
    ...(slots.ok ? { release: now(releaseOf(slots.value)), floor: now(floorOf(slots.value)) } : {}),
    ...(hello.ok && link.ok ? { link: now(linkKeyOf(link.value, hello.value)) } : {}),
    ...(engine === undefined
      ? {}
      : { inference: { value: { engine: engine.value?.engine, ...judgement(trust) }, measuredBootMs: engine.measuredBootMs } }),
    ...attestationOf(held, fault, clock.bootMs()),
  };
};

type BootView = NonNullable<Observations['boot']>['value'];

/** Qualifying data of a quote that answers nobody: no verifier takes it for evidence. */
const ownLook = createHash('sha256').update('enigm-own-look').digest();

/** The device's own look at its boot: log against registers, as the verifier will do it. */
const judgeBoot = async (hands: RemoteHands): Promise<Result<BootView>> => {
  const log = await hands.bootLog.read();
  if (!log.ok) return log;
  const quote = await hands.tpm.quote(ownLook, attestedPcrs);
  if (!quote.ok) return quote;
  const replayed = replayAgainst(log.value, attestedPcrs, quote.value.pcrValues);
  if (!replayed.ok) return { ok: true, value: { code: codeOf(replayed.fault), isSecureBoot: undefined } };
  const facts = checkSemantics(replayed.value.log, { banks: ['sha256'] });
  return {
    ok: true,
    value: facts.ok ? { isSecureBoot: facts.value.secureBoot } : { code: codeOf(facts.fault), isSecureBoot: undefined },
  };
};

/** What was measured of this boot against what the hands wrote into the slot it came from. */
const releaseOf = (slots: SlotsReading): NonNullable<Observations['release']>['value'] => {
  const { state, release, log } = slots[slots.running];
  const isAsInstalled = release !== undefined && equalBytes(release.verityRoot, slots.runningRoot);
  return { state, isAsInstalled, ...(log === undefined ? {} : { log }) };
};

const floorOf = ({ floorEpoch, floorFault }: SlotsReading): NonNullable<Observations['floor']>['value'] => ({
  ...(floorEpoch === undefined ? {} : { epoch: floorEpoch }),
  ...(floorFault === undefined ? {} : { code: floorFault }),
});
/** The hands say which key is in the TPM, not the mouth. */
const linkKeyOf = (
  { linkKey, keyFault }: LinkStatus,
  { linkKey: inTpm }: HandsHello,
): NonNullable<Observations['link']>['value'] => {
  if (linkKey === undefined) return { key: 'none-shown' };
  if (inTpm !== undefined && equalBytes(linkKey, inTpm)) return { key: 'in-tpm' };
  return { key: 'software', ...(keyFault === undefined ? {} : { code: keyFault }) };
};

const judgement = (trust: Trust): { readonly category?: string; readonly opinion?: string } => {
  const held = trust.assessment()?.value;
  return held === undefined ? {} : { category: held.category, opinion: held.opinion };
};

const answers = async (clock: Clock, isAlive: (signal: AbortSignal) => Promise<boolean>): Promise<boolean> => {
  const answered = await within(
    clock,
    probeLimitMs,
    async (signal): Promise<Result<boolean>> => ({ ok: true, value: await isAlive(signal) }),
  );
  return answered.ok && answered.value;
};

/** A refusal is news of now; a result is as old as it is, and counts until it expires even when nobody can be asked. */
const attestationOf = (
  held: ReturnType<Trust['result']>,
  fault: ReturnType<Trust['attestationFault']>,
  nowBootMs: number,
): Pick<Observations, 'attestation'> => {
  const counts = held !== undefined && nowBootMs - held.atBootMs <= lifeMs(held.result);
  if (fault !== undefined && (isRefusal(fault) || !counts))
    return { attestation: { value: { status: 'none', code: codeOf(fault) }, measuredBootMs: nowBootMs } };
  if (held === undefined) return {};
  const value = counts ? { status: held.result.status } : ({ status: 'none', code: 'attestation/stale' } as const);
  return { attestation: { value, measuredBootMs: held.atBootMs } };
};
