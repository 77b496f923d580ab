/** What the board tells the Key. Time and randomness come with every input; the Key has neither of its own. */
import type { Fix } from './alert-format.ts';

export interface Stamp {
  /** Milliseconds of a clock that survives everything but an empty battery; never goes back within a boot. */
  readonly atMs: number;
  /** 64 bytes, fresh for each input. */
  readonly entropy: Uint8Array;
}

export interface Capsule {
  readonly enc: Uint8Array;
  readonly secret: Uint8Array;
}

export type Happening =
  /** Power has come: everything that was persisted. */
  | { readonly is: 'boot'; readonly records: { readonly [record: string]: string } }
  | { readonly is: 'tick' }
  | { readonly is: 'button'; readonly button: 'sos' | 'side'; readonly isDown: boolean }
  | { readonly is: 'cable'; readonly isPresent: boolean }
  /** Bytes on the line; while the line is off, that something moved on it. */
  | { readonly is: 'received'; readonly bytes: Uint8Array }
  /** Typed on the Key, each 0…9. */
  | { readonly is: 'digits'; readonly digits: Uint8Array }
  | ({ readonly is: 'fix' } & Fix)
  | { readonly is: 'battery'; readonly percent: number }
  | { readonly is: 'watchdog' }
  | { readonly is: 'fault' }
  | { readonly is: 'firmware'; readonly isAccepted: boolean }
  | { readonly is: 'prepared'; readonly contact: string; readonly capsule?: Capsule }
  | {
      readonly is: 'handshake';
      readonly outcome: 'more' | 'session' | 'paired' | 'failed';
      readonly reply?: Uint8Array;
      readonly sendKey?: Uint8Array;
      readonly receiveKey?: Uint8Array;
      readonly advertisingKey?: Uint8Array;
    };

export type Input = Stamp & Happening;
