/** What a host may ask in a session, and what it is told. */
import { type Draft, set } from './draft.ts';
import { channels, encodeFrame } from './frame.ts';
import { microampHours } from './ledger.ts';
import { type Answer, decodeRequest, encodeAnswer, type Request, type SetupRequest, type Verdict } from './messages.ts';
import { sameBytes, toHex } from './octets.ts';
import { openFrame, sealFrame } from './session.ts';
import { type Contact, limits, without } from './state.ts';
import { stateMs } from './table.ts';
import { fire } from './transition.ts';

/** Something came that did not count: noise, a stranger, the wrong moment. */
export const dropped = (draft: Draft, count = 1) => {
  const { ledger } = draft.state;
  set(draft, { ledger: { ...ledger, dropped: ledger.dropped + count } });
};

/** A frame of the session; one that does not open ends it (strict order, no window). */
export const takeControl = (draft: Draft, sealed: Uint8Array) => {
  const { session, visible } = draft.state;
  if (session === undefined || visible !== 'bound') return dropped(draft);
  const opened = openFrame(draft.crypto, session, sealed);
  if (opened === undefined) {
    draft.state = without(draft.state, 'session');
    return dropped(draft);
  }
  if (session.receive.count === 0) draft.effects.push({ do: 'confirm' });
  set(draft, { session: opened.session, timerMs: draft.atMs + (stateMs.bound ?? 0) });
  const request = decodeRequest(opened.plaintext);
  if (request === undefined) return dropped(draft);
  answer(draft, request);
};

const say = (draft: Draft, message: Answer) => {
  const { session } = draft.state;
  if (session === undefined) return;
  const { session: next, sealed } = sealFrame(draft.crypto, session, encodeAnswer(message));
  set(draft, { session: next });
  draft.effects.push({
    do: 'link',
    bytes: encodeFrame({ channel: channels.control, sequence: session.send.count, body: sealed }),
  });
};

const answer = (draft: Draft, request: Request) => {
  const verdict = (what: Verdict) => say(draft, { type: 'answer', to: request.type, verdict: what });
  switch (request.type) {
    case 'ping':
      return say(draft, { type: 'pong', nonce: request.nonce });
    case 'status':
      return say(draft, { type: 'status', status: statusOf(draft) });
    case 'release':
      verdict('done');
      return fire(draft, 'hostRelease');
    case 'arm':
      if (!draft.state.setup.allowsRemoteArm) return verdict('refused');
      verdict('done');
      return fire(draft, 'hostArm');
    case 'test':
    case 'setup':
      set(draft, { pending: { what: request.type, untilMs: draft.atMs + limits.confirmMs } });
      return verdict('press-chord');
    default:
      return verdict(isOpenForSetup(draft) ? changeSetup(draft, request) : 'press-chord');
  }
};

/** Nothing that a host asks changes who is alerted, or how, unless the wearer has just pressed both buttons. */
const isOpenForSetup = ({ state, atMs }: Draft): boolean => state.setupUntilMs !== undefined && state.setupUntilMs > atMs;

const statusOf = ({ state }: Draft) => ({
  state: state.visible,
  batteryPercent: state.battery.percent,
  contacts: state.setup.contacts.length,
  hasPins: state.setup.pins !== undefined,
  allowsRemoteArm: state.setup.allowsRemoteArm,
  usedMicroampHours: microampHours(state.ledger),
});

const changeSetup = (draft: Draft, request: SetupRequest): Verdict => {
  const { setup } = draft.state;
  switch (request.type) {
    case 'contact-put': {
      const id = toHex(request.contact);
      const others = setup.contacts.filter((contact) => contact.id !== id);
      if (others.length >= limits.contacts) return 'refused';
      const contact: Contact = { id, tier: request.tier, isNamed: request.isNamed };
      set(draft, { setup: { ...setup, contacts: [...others, contact] } });
      draft.effects.push({ do: 'contact', contact: id, publicKey: request.publicKey, psk: request.psk });
      return 'done';
    }
    case 'contact-remove': {
      const id = toHex(request.contact);
      const contacts = setup.contacts.filter((contact) => contact.id !== id);
      if (contacts.length === setup.contacts.length) return 'refused';
      set(draft, { setup: { ...setup, contacts } });
      draft.effects.push({ do: 'forget', contact: id });
      return 'done';
    }
    case 'pins': {
      if (sameBytes(request.cancel, request.duress)) return 'refused';
      const [cancelSalt, duressSalt] = [draft.entropy.slice(0, 16), draft.entropy.slice(16, 32)];
      const cancelTag = draft.crypto.pinTag(cancelSalt, request.cancel);
      const duressTag = draft.crypto.pinTag(duressSalt, request.duress);
      set(draft, { setup: { ...setup, pins: { cancelSalt, cancelTag, duressSalt, duressTag } } });
      return 'done';
    }
    case 'remote-arm':
      set(draft, { setup: { ...setup, allowsRemoteArm: request.isAllowed } });
      return 'done';
  }
};
