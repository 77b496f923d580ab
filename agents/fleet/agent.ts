/**
 * The device in its fleet: joins with a fresh result, hears that there is something new, fetches and applies it, says
 * what is in force now, and says it again until Command has acknowledged exactly that.
 *
 * Nothing here depends on being heard: a broker that drops everything only delays, since the repository is looked at
 * from time to time anyway, and what is trusted is what the repository's signatures say.
 */
import type { Attestor } from '#agents/attest/attestor';
import type { VerifierLink } from '#agents/attest/verifier-link';
import type { Lifecycle } from '#agents/management/lifecycle';
import type { OrderIntake } from '#agents/management/order-intake';
import type { Fleet } from '#agents/management/site';
import type { StateKeeper } from '#agents/management/state';
import type { Trust } from '#agents/mind/trust';
import type { PolicyManager } from '#agents/policy/manager';
import type { Agent } from '#agents/supervisor/agent';
import { toHex } from '#hal/core/bytes';
import { codeOf, deny, done, type Result } from '#hal/core/result';
import type { CryptoBackend } from '#hal/crypto/backend';
import type { IsRevoked } from '#hal/crypto/envelope';
import type { Clock } from '#hal/ports/clock';
import type { Log } from '#hal/ports/log';
import type { Random } from '#hal/ports/random';
import type { LinkMethods } from '#hal/remote/link-methods';
import type { Client } from '#hal/remote/methods';
import type { FleetMessage, RiskTelemetry } from '#protos/gen/types';
import { type CommandMethods, commandParty } from './command-methods.ts';
import { joinRequest } from './joining.ts';
import { newReporter } from './reporter.ts';
import { fleetHpke, openDown, sealUp } from './sealed.ts';

export interface FleetParts {
  readonly clock: Clock;
  readonly log: Log;
  readonly crypto: CryptoBackend;
  readonly random: Random;
  readonly fleet: Fleet;
  readonly isRevoked: IsRevoked;
  readonly link: Client<LinkMethods>;
  readonly command: Pick<Client<CommandMethods>, 'call'>;
  readonly attestor: Attestor;
  readonly verifier: Pick<VerifierLink, 'passport'>;
  readonly manager: PolicyManager;
  readonly orders: OrderIntake;
  readonly state: StateKeeper;
  readonly trust: Trust;
  /** What was judged of programs, where the configuration in force lets it leave. */
  readonly risk: () => RiskTelemetry | undefined;
}

const idleMs = 1_000;
const firstRetryMs = 2_000;
const maxRetryMs = 5 * 60_000;
/** A report that was not acknowledged is sent again after this. */
const resendMs = 20_000;
/** Command that acknowledges nothing for this many reports has forgotten us, or never knew us. */
const maxUnanswered = 45;
/** A membership that lasted this long was one: the next join waits no longer for it. */
const settledMs = 60_000;
/** The repository is looked at this often, announced or not; after a look that failed, this soon again. */
const lookMs = 6 * 3_600_000;
const lookAgainMs = 5 * 60_000;

/** A suspended device stays in its fleet: there it hears that it may go on (SR-17). */
const members: readonly Lifecycle[] = ['active', 'suspended'];

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
    const look = lookout(parts);
    let retryMs = firstRetryMs;
    while (!signal.aborted) {
      if (!members.includes(state.current().lifecycle)) {
        await clock.sleep(idleMs, signal);
        continue;
      }
      const joinedBootMs = clock.bootMs();
      const joined = await join(parts, signal);
      if (joined.ok) await serve(parts, joined.value, look, signal);
      else {
        parts.log.warn('fleet.not-joined', { code: codeOf(joined.fault), detail: joined.fault.detail ?? '' });
        if (look.isDue()) await look.now(signal);
      }
      // A join costs a quote, a certificate and a label that the broker remembers: however it ends, never one after the other.
      if (joined.ok && clock.bootMs() - joinedBootMs >= settledMs) retryMs = firstRetryMs;
      await clock.sleep(retryMs, signal);
      retryMs = Math.min(retryMs * 2, maxRetryMs);
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

/** Looks at the repository, joined or not: who keeps us out of the fleet does not keep a policy from us. */
interface Lookout {
  isDue(): boolean;
  now(signal: AbortSignal): Promise<void>;
}

const lookout = ({ clock, log, manager }: FleetParts): Lookout => {
  let dueBootMs = clock.bootMs();
  return {
    isDue: () => clock.bootMs() >= dueBootMs,
    async now(signal) {
      const updated = await manager.update(signal);
      if (!updated.ok) log.warn('fleet.update-refused', { code: codeOf(updated.fault) });
      dueBootMs = clock.bootMs() + (updated.ok ? lookMs : lookAgainMs);
    },
  };
};

/** Until the connection is lost, the membership is old or no longer answered, or the signal aborts. */
const serve = async (parts: FleetParts, member: Membership, look: Lookout, signal: AbortSignal): Promise<void> => {
  const { clock, log } = parts;
  const ended = new AbortController();
  const both = AbortSignal.any([signal, ended.signal]);
  const report = reporter(parts, member);
  const bringUpToDate = async () => {
    await look.now(both);
    report.changed();
  };
  const listening = listen(parts, member, both, async ({ announcement, acknowledgement, order }) => {
    if (acknowledgement !== undefined && report.acknowledge(acknowledgement.id))
      log.info('fleet.delivered', { report: toHex(acknowledgement.id) });
    if (announcement !== undefined) await bringUpToDate();
    if (order !== undefined) {
      const obeyed = await parts.orders.obey(order.envelope, commandParty);
      if (!obeyed.ok) log.warn('order.refused', { code: codeOf(obeyed.fault) });
      report.changed();
    }
  }).finally(() => ended.abort());
  try {
    while (!both.aborted && clock.bootMs() < member.untilBootMs && report.unanswered() < maxUnanswered) {
      if (look.isDue()) await look.now(both);
      const sent = await report.send(both);
      if (!sent.ok) log.warn('fleet.unreported', { code: codeOf(sent.fault) });
      await report.wait(Math.min(resendMs, member.untilBootMs - clock.bootMs()), both);
    }
  } finally {
    ended.abort();
    await listening;
  }
};

const reporter = ({ crypto, random, link, fleet, ...parts }: FleetParts, { sign }: Membership) => {
  const box = fleetHpke(crypto, random);
  return newReporter({
    ...parts,
    random,
    async publish(message, signal) {
      const sealed = sealUp(box, fleet.command.sealingKey, message, sign);
      if (!sealed.ok) return sealed;
      const published = await link.call('link.publish', { sealed: sealed.value }, { signal });
      return published.ok ? done : published;
    },
  });
};

const listen = async (
  { crypto, random, link, fleet, isRevoked, log }: FleetParts,
  { seed, label }: Membership,
  signal: AbortSignal,
  handle: (message: FleetMessage) => Promise<void>,
): Promise<void> => {
  const box = fleetHpke(crypto, random);
  for await (const received of link.subscribe('link.messages', {}, signal)) {
    if (!received.ok) return;
    const message = openDown(crypto, box, seed, received.value.sealed, label, { keys: fleet.command.keys, isRevoked });
    if (message.ok) await handle(message.value);
    else log.warn('fleet.refused', { code: codeOf(message.fault) });
  }
};
