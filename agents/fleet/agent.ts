/**
 * The device in its fleet: joins with a fresh result, hears that there is something new, fetches and applies it, says
 * what is in force now, and says it again until Command has acknowledged exactly that.
 *
 * Nothing here depends on being heard: a broker that drops everything only delays, since the repository is looked at
 * from time to time anyway, and what is trusted is what the repository's signatures say.
 */
import type { Attestor } from '#agents/attest/attestor';
import type { VerifierLink } from '#agents/attest/verifier-link';
import type { Fleet } from '#agents/management/site';
import type { StateKeeper } from '#agents/management/state';
import type { Trust } from '#agents/mind/trust';
import type { PolicyManager } from '#agents/policy/manager';
import type { Agent } from '#agents/supervisor/agent';
import { equalBytes, toHex } from '#hal/core/bytes';
import { encodeMessage } from '#hal/core/message';
import { codeOf, deny, done, type Result } from '#hal/core/result';
import type { CryptoBackend } from '#hal/crypto/backend';
import type { Clock } from '#hal/ports/clock';
import type { Log } from '#hal/ports/log';
import type { Random } from '#hal/ports/random';
import type { LinkMethods } from '#hal/remote/link-methods';
import type { Client } from '#hal/remote/methods';
import type { DeviceReport, FleetMessage } from '#protos/gen/types';
import { type CommandMethods, commandParty } from './command-methods.ts';
import { joinRequest } from './joining.ts';
import { fleetHpke, openDown, sealUp } from './sealed.ts';

export interface FleetParts {
  readonly clock: Clock;
  readonly log: Log;
  readonly crypto: CryptoBackend;
  readonly random: Random;
  readonly fleet: Fleet;
  readonly link: Client<LinkMethods>;
  readonly command: Pick<Client<CommandMethods>, 'call'>;
  readonly attestor: Attestor;
  readonly verifier: Pick<VerifierLink, 'passport'>;
  readonly manager: PolicyManager;
  readonly state: StateKeeper;
  readonly trust: Trust;
}

const idleMs = 1_000;
const firstRetryMs = 2_000;
const maxRetryMs = 5 * 60_000;
/** A report that was not acknowledged is sent again after this. */
const resendMs = 20_000;
/** The repository is looked at this often, announced or not. */
const lookMs = 6 * 3_600_000;

interface Membership {
  readonly label: string;
  readonly seed: Uint8Array;
  readonly sign: (bytes: Uint8Array) => Uint8Array;
  /** On the boot clock: before that the device joins anew. */
  readonly untilBootMs: number;
}

/** Takes the parts themselves, not `MindParts`: it is the one agent that has the link. */
export const fleetAgent = (parts: FleetParts): Agent<unknown> => ({
  name: 'fleet',
  async run(_, signal) {
    const { clock, state } = parts;
    let retryMs = firstRetryMs;
    while (!signal.aborted) {
      if (state.current().lifecycle !== 'active') {
        await clock.sleep(idleMs, signal);
        continue;
      }
      const joined = await join(parts, signal);
      if (joined.ok) {
        retryMs = firstRetryMs;
        await serve(parts, joined.value, signal);
      } else {
        parts.log.warn('fleet.not-joined', { code: codeOf(joined.fault), detail: joined.fault.detail ?? '' });
        await clock.sleep(retryMs, signal);
        retryMs = Math.min(retryMs * 2, maxRetryMs);
      }
    }
  },
});

const join = async (parts: FleetParts, signal: AbortSignal): Promise<Result<Membership>> => {
  const { clock, crypto, random, link, command, attestor, verifier } = parts;
  const attested = await attestor.attest(commandParty);
  if (!attested.ok) return attested;
  const passport = verifier.passport(commandParty);
  if (passport === undefined) return deny('attestation', 'missing');
  const identity = await link.call('link.identity', {}, { signal });
  if (!identity.ok) return identity;
  const seed = random.bytes(32);
  const sealingKey = fleetHpke(crypto, random).kem.publicKey(seed);
  const joined = await command.call('fleet.join', joinRequest(passport, identity.value.linkKey, sealingKey), { signal });
  if (!joined.ok) return joined;
  const connected = await link.call('link.join', joined.value, { signal });
  if (!connected.ok) return connected;
  const { label, expiresMs } = joined.value;
  const lifeMs = expiresMs - attested.value.issuedAtSeconds * 1000;
  return { ok: true, value: { label, seed, sign: passport.sign, untilBootMs: clock.bootMs() + Math.max(0, lifeMs / 2) } };
};

/** Until the connection is lost, the membership is old, or the signal aborts. */
const serve = async (parts: FleetParts, member: Membership, signal: AbortSignal): Promise<void> => {
  const { clock, log, manager } = parts;
  const ended = new AbortController();
  const both = AbortSignal.any([signal, ended.signal]);
  const report = reporter(parts, member);
  const bringUpToDate = async () => {
    const updated = await manager.update(both);
    if (!updated.ok) log.warn('fleet.update-refused', { code: codeOf(updated.fault) });
    report.changed();
  };
  const listening = listen(parts, member, both, async (message) => {
    const { announcement, acknowledgement } = message;
    if (acknowledgement !== undefined) report.acknowledge(acknowledgement.id);
    if (announcement !== undefined) await bringUpToDate();
  }).finally(() => ended.abort());
  await bringUpToDate();
  let lookedBootMs = clock.bootMs();
  while (!both.aborted && clock.bootMs() < member.untilBootMs) {
    const sent = await report.send(both);
    if (!sent.ok) log.warn('fleet.unreported', { code: codeOf(sent.fault) });
    await report.wait(Math.min(resendMs, member.untilBootMs - clock.bootMs()), both);
    if (clock.bootMs() - lookedBootMs > lookMs) {
      lookedBootMs = clock.bootMs();
      await bringUpToDate();
    }
  }
  ended.abort();
  await listening;
};

const listen = async (
  { crypto, random, link, fleet, log }: FleetParts,
  { seed, label }: Membership,
  signal: AbortSignal,
  handle: (message: FleetMessage) => Promise<void>,
): Promise<void> => {
  const box = fleetHpke(crypto, random);
  for await (const received of link.subscribe('link.messages', {}, signal)) {
    if (!received.ok) return;
    const message = openDown(crypto, box, seed, received.value.sealed, label, fleet.command.keys);
    if (message.ok) await handle(message.value);
    else log.warn('fleet.refused', { code: codeOf(message.fault) });
  }
};

/** The newest state of the device, sent until exactly this state was acknowledged. */
const reporter = (parts: FleetParts, { sign }: Membership) => {
  const { crypto, random, link, fleet, manager, state, trust, clock } = parts;
  const box = fleetHpke(crypto, random);
  let wake = () => {};
  let sent: { readonly id: Uint8Array; readonly content: string } | undefined;
  let acknowledged: string | undefined;
  const present = async (): Promise<DeviceReport> => ({
    lifecycle: state.current().lifecycle,
    level: trust.posture()?.level ?? 'none',
    managed: await manager.states(),
  });
  return {
    changed: () => wake(),
    acknowledge(id: Uint8Array) {
      if (sent !== undefined && equalBytes(sent.id, id)) acknowledged = sent.content;
    },
    async send(signal: AbortSignal): Promise<Result<void>> {
      const report = await present();
      const content = toHex(encodeMessage('DeviceReport', report));
      if (content === acknowledged) return done;
      sent = { id: random.bytes(16), content };
      const sealed = sealUp(box, fleet.command.sealingKey, { id: sent.id, report }, sign);
      if (!sealed.ok) return sealed;
      const published = await link.call('link.publish', { sealed: sealed.value }, { signal });
      return published.ok ? done : published;
    },
    /** Returns early when something changed. */
    async wait(durationMs: number, signal: AbortSignal): Promise<void> {
      const early = new AbortController();
      wake = () => early.abort();
      await clock.sleep(Math.max(0, durationMs), AbortSignal.any([signal, early.signal]));
      wake = () => {};
    },
  };
};
