/** Takes statements of the issuer and the account service, turns what verifies into facts, and writes down what came. */

import type { HandleFact } from '#agents/decision/facts';
import type { MindParts } from '#agents/mind/parts';
import { fromHex } from '#hal/core/bytes';
import { deny, type Fault, type Result } from '#hal/core/result';
import { maxLifeMs, openStatement, type Statement } from './statements.ts';

export interface Presenter {
  present(payloadType: string, envelope: Uint8Array, source: string): Promise<Result<Statement>>;
}

type Parts = Pick<MindParts, 'clock' | 'crypto' | 'statementKeys' | 'state' | 'trust' | 'time' | 'audit' | 'watchers'>;

export const presenter = ({ clock, crypto, statementKeys, state, trust, time, audit, watchers }: Parts): Presenter => {
  const accept = (payloadType: string, envelope: Uint8Array): Result<Statement> => {
    // Without signed time a statement is judged by the wall clock; protected actions then wait for signed time anyway.
    const nowMs = time.nowMs() ?? clock.nowMs();
    const opened = openStatement(crypto, envelope, payloadType, statementKeys, nowMs);
    if (!opened.ok) return opened;
    const statement = opened.value;
    // It was signed at some time after this.
    time.witness(statement.expiresMs - maxLifeMs);
    if (statement.kind === 'identity') {
      trust.holdActor(statement.actor, statement.expiresMs - nowMs);
      return opened;
    }
    const { sessions } = state.current();
    const seen = sessions.find(({ session }) => session === statement.id);
    if (seen !== undefined && statement.sequence <= seen.sequence) return deny('identity', 'session-replayed');
    const others = sessions.filter(({ session }) => session !== statement.id);
    const saved = state.update({ sessions: [...others, { session: statement.id, sequence: statement.sequence }] });
    if (!saved.ok) return saved;
    trust.holdSession(statement.session, statement.expiresMs - nowMs);
    return opened;
  };

  return {
    async present(payloadType, envelope, source) {
      const accepted = accept(payloadType, envelope);
      const foreign = accepted.ok && accepted.value.kind === 'session' && isForeign(accepted.value, trust.handle());
      const fault: Fault | undefined = accepted.ok
        ? foreign
          ? { category: 'handle', reason: 'session-of-another-device' }
          : undefined
        : accepted.fault;
      const actor = accepted.ok
        ? fromHex(accepted.value.kind === 'identity' ? accepted.value.actor.subject : accepted.value.session.subject)
        : undefined;
      const recorded = await audit.record({
        event: payloadType === 'identity-assertion' ? 'authz.identity' : 'authz.session',
        outcome: fault === undefined ? 'allowed' : 'denied',
        source,
        ...(fault === undefined ? {} : { fault }),
        ...(actor === undefined ? {} : { actor }),
      });
      await audit.record({
        event: 'verify.statement',
        outcome: accepted.ok ? 'done' : 'denied',
        source,
        ...(accepted.ok ? {} : { fault: accepted.fault }),
      });
      watchers.notify();
      if (fault !== undefined) return { ok: false, fault };
      // Nobody is acknowledged whom the log does not know of.
      return !recorded.ok && recorded.fault.reason === 'rate-limited' ? recorded : accepted;
    },
  };
};

/** A session that was opened on another device is held, so that decisions name the reason, but it is no success. */
const isForeign = (statement: Extract<Statement, { kind: 'session' }>, own: HandleFact | undefined): boolean =>
  own !== undefined && own.handle !== statement.session.handle;
