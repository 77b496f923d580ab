/** What each input does, before time is let pass. */
import { engage, proposeEnd, sealFix, takeAck } from './alert.ts';
import { cutAck, type Fix } from './alert-format.ts';
import { type Draft, set } from './draft.ts';
import { channels, encodeFrame, type Frame, readFrames } from './frame.ts';
import { edge } from './gestures.ts';
import type { Capsule, Happening } from './inputs.ts';
import { sameBytes } from './octets.ts';
import { domainsOf } from './power.ts';
import { dropped, takeControl } from './requests.ts';
import { openSession } from './session.ts';
import { limits } from './state.ts';
import { fire } from './transition.ts';

export const handle = (draft: Draft, input: Happening) => {
  switch (input.is) {
    case 'boot': // `start` has done it
    case 'tick':
      return;
    case 'button':
      return set(draft, { gestures: edge(draft.state.gestures, input.button, input.isDown, draft.atMs) });
    case 'cable':
      return takeCable(draft, input.isPresent);
    case 'received':
      return takeBytes(draft, input.bytes);
    case 'digits':
      return takeDigits(draft, input.digits);
    case 'fix':
      return takeFix(draft, input);
    case 'battery':
      return takeBattery(draft, input.percent);
    case 'watchdog':
      draft.savesLedger = true;
      return fire(draft, 'wdt');
    case 'fault':
      return fire(draft, 'fault');
    case 'firmware':
      return fire(draft, input.isAccepted ? 'fwOk' : 'fwBad');
    case 'prepared':
      if (input.capsule !== undefined) takePrepared(draft, input.contact, input.capsule);
      return;
    case 'handshake':
      return takeHandshake(draft, input);
  }
};

const takeCable = (draft: Draft, isPresent: boolean) => {
  set(draft, { hasCable: isPresent });
  if (!isPresent) return fire(draft, 'unplug');
  wakeByCable(draft);
};

/** Out of dormancy once a minute at most: a flapping cable or noise on the line must not empty the battery. */
const wakeByCable = (draft: Draft) => {
  const { visible, cableWakeMs } = draft.state;
  if (visible === 'dormant' || visible === 'safe') {
    if (cableWakeMs !== undefined && draft.atMs - cableWakeMs < limits.cableWakeMs) return dropped(draft);
    set(draft, { cableWakeMs: draft.atMs });
  }
  fire(draft, 'vbus');
};

/**
 * Bytes on the line. While it is off for the visible machine they are an edge that may wake it, whatever they say; what
 * a covert alert receives it reads by itself (SR-24).
 */
const takeBytes = (draft: Draft, bytes: Uint8Array): void => {
  const { covert, visible } = draft.state;
  const domains = domainsOf(visible, false);
  if (domains.includes('link') || domains.includes('transmit')) {
    const read = readFrames(draft.state.reader, bytes);
    set(draft, { reader: read.reader });
    if (read.dropped > 0) dropped(draft, read.dropped);
    for (const frame of read.frames) takeFrame(draft, frame);
  } else if (draft.state.hasCable) wakeByCable(draft);
  if (covert !== undefined && covert.beginMs === undefined) {
    const read = readFrames(draft.state.covertReader, bytes);
    set(draft, { covertReader: read.reader });
    for (const frame of read.frames) if (frame.channel === channels.event) takeCovertAck(draft, frame.body);
  }
};

const takeFrame = (draft: Draft, frame: Frame): void => {
  const { visible } = draft.state;
  const isLinked = domainsOf(visible, false).includes('secure') && domainsOf(visible, false).includes('link');
  if (frame.channel === channels.event) takeVisibleAck(draft, frame.body);
  else if (frame.channel === channels.control) takeControl(draft, frame.body);
  else if (isLinked) draft.effects.push({ do: 'handshake', message: frame.body, isPairing: visible === 'pairing' });
};

const takeVisibleAck = (draft: Draft, body: Uint8Array) => {
  const ack = cutAck(body);
  const { alert, visible } = draft.state;
  const taken = ack === undefined || alert === undefined ? undefined : takeAck(draft, alert, ack);
  if (taken === undefined) return dropped(draft);
  set(draft, { alert: taken.alert });
  if (taken.isNews) fire(draft, taken.isAll ? 'ackAll' : 'ackSome');
  if (visible === 'alerting') set(draft, { alert: proposeEnd(draft, taken.alert) });
};

const takeCovertAck = (draft: Draft, body: Uint8Array): void => {
  const ack = cutAck(body);
  const { covert } = draft.state;
  const taken = ack === undefined || covert === undefined ? undefined : takeAck(draft, covert, ack);
  if (taken !== undefined) set(draft, { covert: taken.alert });
};

/** Typed digits are the code of a pairing that is open, and otherwise a PIN. */
const takeDigits = (draft: Draft, digits: Uint8Array) => {
  if (draft.state.visible !== 'pairing') return takePin(draft, digits);
  draft.effects.push({ do: 'code', digits });
};

/**
 * Both tags are always computed and compared, whatever was typed. After three wrong ones the input is locked until the
 * next event; the count is persisted before the answer is felt.
 */
const takePin = (draft: Draft, digits: Uint8Array) => {
  const { visible, setup, tries } = draft.state;
  const { pins } = setup;
  if ((visible !== 'countdown' && visible !== 'alerting') || pins === undefined || tries >= limits.pinTries)
    return dropped(draft);
  const isCancel = sameBytes(draft.crypto.pinTag(pins.cancelSalt, digits), pins.cancelTag);
  const isDuress = sameBytes(draft.crypto.pinTag(pins.duressSalt, digits), pins.duressTag);
  fire(draft, isCancel ? 'cancelPin' : isDuress ? 'duressPin' : 'badPin');
};

/** A position that nobody asked for is not looked at. */
const takeFix = (draft: Draft, fix: Fix): void => {
  const { alert, covert } = draft.state;
  if (alert?.wantsFix) set(draft, { alert: sealFix(draft, alert, fix) });
  if (covert?.wantsFix) set(draft, { covert: sealFix(draft, covert, fix) });
};

const takeBattery = (draft: Draft, percent: number): void => {
  const wasLow = draft.state.battery.isLow;
  const isLow = percent <= limits.lowBatteryPercent;
  if (percent !== draft.state.battery.percent || isLow !== wasLow) set(draft, { battery: { percent, isLow } });
  if (isLow && !wasLow) fire(draft, 'lowBatt');
};

/** For whoever waits for one: the covert alert first, since it asks where the visible one does not. */
const takePrepared = (draft: Draft, contact: string, capsule: Capsule) => {
  const { alert, covert } = draft.state;
  if (covert?.awaiting.includes(contact)) set(draft, { covert: engage(draft, covert, contact, capsule) });
  else if (alert?.awaiting.includes(contact)) set(draft, { alert: engage(draft, alert, contact, capsule) });
};

type HandshakeAnswer = Extract<Happening, { is: 'handshake' }>;

/** The secure side has answered; a failure is answered to nobody, and ends a pairing. */
const takeHandshake = (draft: Draft, { outcome, reply, sendKey, receiveKey, advertisingKey }: HandshakeAnswer) => {
  const { visible, setup } = draft.state;
  if (visible !== 'wake' && visible !== 'bound' && visible !== 'pairing') return dropped(draft);
  if (reply !== undefined)
    draft.effects.push({ do: 'link', bytes: encodeFrame({ channel: channels.handshake, sequence: 0, body: reply }) });
  if (outcome === 'failed') return visible === 'pairing' ? fire(draft, 'pairFail') : dropped(draft);
  if (outcome === 'more' || sendKey === undefined || receiveKey === undefined) return;
  set(draft, { session: openSession(sendKey, receiveKey) });
  if (outcome === 'session') return fire(draft, 'hostSess');
  set(draft, {
    setupUntilMs: draft.atMs + limits.setupWindowMs,
    setup: advertisingKey === undefined ? setup : { ...setup, advertisingKey },
  });
  fire(draft, 'pairOk');
};
