/** What the Key asks of its board, in order; what is persisted comes first, so that power may fail anywhere after. */

/** A part of the board that an effect needs, and that the state powers. */
export type Domain = 'haptic' | 'advertise' | 'link' | 'transmit' | 'locate' | 'secure';

export type Pattern = 'press' | 'countdown' | 'alert' | 'ack' | 'cancel' | 'refused' | 'ending';

export type Effect =
  /** Durable, whole, and the earlier value erased, before the next effect. */
  | { readonly do: 'persist'; readonly record: string; readonly value: string }
  | { readonly do: 'power'; readonly domains: readonly Domain[] }
  | { readonly do: 'haptic'; readonly pattern: Pattern }
  | { readonly do: 'advertise'; readonly id: Uint8Array }
  /** Bytes for the host: handshakes and sessions. */
  | { readonly do: 'link'; readonly bytes: Uint8Array }
  /** Bytes for whatever carries alerts; sealed to contacts, and readable by nobody between. */
  | { readonly do: 'transmit'; readonly bytes: Uint8Array }
  /** One position, please. */
  | { readonly do: 'locate' }
  /** For the secure side, which answers with an input of the same name. */
  | { readonly do: 'handshake'; readonly message: Uint8Array; readonly isPairing: boolean }
  /** One capsule for this contact, from the store or made now. */
  | { readonly do: 'prepare'; readonly contact: string }
  /** For the secure side, without an answer: remake all capsules; erase those that are too old. */
  | { readonly do: 'dock' }
  | { readonly do: 'tidy' }
  | { readonly do: 'confirm' }
  /** A code that the wearer typed for the pairing that is open. */
  | { readonly do: 'code'; readonly digits: Uint8Array }
  | { readonly do: 'contact'; readonly contact: string; readonly publicKey: Uint8Array; readonly psk: Uint8Array }
  | { readonly do: 'forget'; readonly contact: string }
  /** Arm the wake sources, and the timer where there is a time. Always the last one. */
  | { readonly do: 'sleep'; readonly untilMs?: number };
