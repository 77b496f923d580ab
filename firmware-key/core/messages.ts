/** What host and Key say to one another inside a session: a type byte, then fixed fields. */
import { contactIdBytes } from './alert-format.ts';
import { join, readU16, u16 } from './octets.ts';
import { type State, states } from './table.ts';

/** X-Wing public key, draft-connolly-cfrg-xwing-kem-10 §5.1. */
export const publicKeyBytes = 1216;
const pinBytes = { least: 4, most: 8 } as const;

export interface ContactPut {
  readonly type: 'contact-put';
  readonly contact: Uint8Array;
  readonly tier: number;
  readonly isNamed: boolean;
  /** Shared by this contact and the Key alone, from contact set-up (SR-25). */
  readonly psk: Uint8Array;
  readonly publicKey: Uint8Array;
}

/** What changes who is alerted or how: only in the minutes after the wearer has pressed both buttons. */
export type SetupRequest =
  | ContactPut
  | { readonly type: 'contact-remove'; readonly contact: Uint8Array }
  | { readonly type: 'pins'; readonly cancel: Uint8Array; readonly duress: Uint8Array }
  | { readonly type: 'remote-arm'; readonly isAllowed: boolean };

export type Request =
  | SetupRequest
  | { readonly type: 'ping'; readonly nonce: Uint8Array }
  | { readonly type: 'status' | 'release' | 'arm' | 'test' | 'setup' };

const requestTypes = [
  'ping',
  'status',
  'release',
  'arm',
  'test',
  'setup',
  'contact-put',
  'contact-remove',
  'pins',
  'remote-arm',
] as const satisfies readonly Request['type'][];

export const verdicts = ['done', 'refused', 'press-chord'] as const;
export type Verdict = (typeof verdicts)[number];

export interface Status {
  /** The visible state: what the wearer sees. Covert work shows nowhere (SR-24). */
  readonly state: State;
  readonly batteryPercent: number;
  readonly contacts: number;
  readonly hasPins: boolean;
  readonly allowsRemoteArm: boolean;
  /** Microampere-hours since the battery was fitted, of the visible machine. */
  readonly usedMicroampHours: number;
}

export type Answer =
  | { readonly type: 'pong'; readonly nonce: Uint8Array }
  | { readonly type: 'status'; readonly status: Status }
  | { readonly type: 'answer'; readonly to: Request['type']; readonly verdict: Verdict };

export const encodeRequest = (request: Request): Uint8Array =>
  join(Uint8Array.of(1 + requestTypes.indexOf(request.type)), fields(request));

const fields = (request: Request): Uint8Array => {
  switch (request.type) {
    case 'ping':
      return request.nonce;
    case 'contact-put':
      return join(request.contact, Uint8Array.of(request.tier, request.isNamed ? 1 : 0), request.psk, request.publicKey);
    case 'contact-remove':
      return request.contact;
    case 'pins':
      return join(Uint8Array.of(request.cancel.length), request.cancel, request.duress);
    case 'remote-arm':
      return Uint8Array.of(request.isAllowed ? 1 : 0);
    default:
      return new Uint8Array(0);
  }
};

/** @returns undefined for anything that `encodeRequest` does not make */
export const decodeRequest = (bytes: Uint8Array): Request | undefined => {
  const type = requestTypes[(bytes[0] ?? 0) - 1];
  const body = bytes.slice(1);
  switch (type) {
    case 'ping':
      return body.length === 8 ? { type, nonce: body } : undefined;
    case 'status':
    case 'release':
    case 'arm':
    case 'test':
    case 'setup':
      return body.length === 0 ? { type } : undefined;
    case 'contact-put': {
      const [tier = 0, isNamed = 2] = body.subarray(contactIdBytes);
      if (body.length !== contactIdBytes + 2 + 32 + publicKeyBytes || tier < 1 || tier > 3 || isNamed > 1) return undefined;
      const at = contactIdBytes + 2;
      return {
        type,
        contact: body.slice(0, contactIdBytes),
        tier,
        isNamed: isNamed === 1,
        psk: body.slice(at, at + 32),
        publicKey: body.slice(at + 32),
      };
    }
    case 'contact-remove':
      return body.length === contactIdBytes ? { type, contact: body } : undefined;
    case 'pins': {
      const length = body[0] ?? 0;
      const cancel = body.slice(1, 1 + length);
      const duress = body.slice(1 + length);
      return isPin(cancel) && cancel.length === length && isPin(duress) ? { type, cancel, duress } : undefined;
    }
    case 'remote-arm':
      return body.length === 1 && (body[0] ?? 2) < 2 ? { type, isAllowed: body[0] === 1 } : undefined;
    default:
      return undefined;
  }
};

/** Four to eight digits, as bytes 0…9. */
export const isPin = (pin: Uint8Array): boolean =>
  pin.length >= pinBytes.least && pin.length <= pinBytes.most && pin.every((digit) => digit <= 9);

const answerTypes = { pong: 0x81, status: 0x82, answer: 0x83 } as const;

export const encodeAnswer = (answer: Answer): Uint8Array => {
  switch (answer.type) {
    case 'pong':
      return join(Uint8Array.of(answerTypes.pong), answer.nonce);
    case 'status': {
      const { state, batteryPercent, contacts, hasPins, allowsRemoteArm, usedMicroampHours } = answer.status;
      const used = Math.min(usedMicroampHours, 0xffff_ffff);
      return join(
        Uint8Array.of(
          answerTypes.status,
          states.indexOf(state),
          batteryPercent,
          contacts,
          (hasPins ? 1 : 0) | (allowsRemoteArm ? 2 : 0),
        ),
        u16(Math.floor(used / 0x1_0000)),
        u16(used & 0xffff),
      );
    }
    case 'answer':
      return Uint8Array.of(answerTypes.answer, 1 + requestTypes.indexOf(answer.to), verdicts.indexOf(answer.verdict));
  }
};

export const decodeAnswer = (bytes: Uint8Array): Answer | undefined => {
  switch (bytes[0]) {
    case answerTypes.pong:
      return bytes.length === 9 ? { type: 'pong', nonce: bytes.slice(1) } : undefined;
    case answerTypes.status: {
      const state = states[bytes[1] ?? states.length];
      if (bytes.length !== 9 || state === undefined) return undefined;
      const flags = bytes[4] ?? 0;
      const status = {
        state,
        batteryPercent: bytes[2] ?? 0,
        contacts: bytes[3] ?? 0,
        hasPins: (flags & 1) !== 0,
        allowsRemoteArm: (flags & 2) !== 0,
        usedMicroampHours: readU16(bytes, 5) * 0x1_0000 + readU16(bytes, 7),
      };
      return { type: 'status', status };
    }
    case answerTypes.answer: {
      const to = requestTypes[(bytes[1] ?? 0) - 1];
      const verdict = verdicts[bytes[2] ?? verdicts.length];
      return bytes.length === 3 && to !== undefined && verdict !== undefined ? { type: 'answer', to, verdict } : undefined;
    }
    default:
      return undefined;
  }
};
