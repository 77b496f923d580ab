/**
 * Handshake patterns as data.
 *
 * Source: The Noise Protocol Framework, revision 34, §7.4, §7.5 (fundamental patterns) and §9.4 (psk modifiers).
 */
export type Token = 'e' | 's' | 'ee' | 'es' | 'se' | 'ss' | 'psk' | 'e1' | 'ekem1';

export interface Pattern {
  /** What goes into `h` first (§5.2 InitializeSymmetric): the whole protocol name. */
  readonly protocolName: string;
  /** Static keys that are known before the first message. */
  readonly initiatorKnown: boolean;
  readonly responderKnown: boolean;
  /** Messages in turn, the initiator's first; a pattern of one message is one-way (§7.4). */
  readonly messages: readonly (readonly Token[])[];
}

const standard = (
  name: string,
  known: 'none' | 'responder' | 'both',
  ...messages: readonly (readonly Token[])[]
): readonly [string, Pattern] => [
  name,
  {
    protocolName: `Noise_${name}_25519_ChaChaPoly_SHA256`,
    initiatorKnown: known === 'both',
    responderKnown: known !== 'none',
    messages,
  },
];

/** Patterns of the framework, by name; each with the suite 25519_ChaChaPoly_SHA256. */
export const noisePatterns: ReadonlyMap<string, Pattern> = new Map([
  standard('N', 'responder', ['e', 'es']),
  standard('X', 'responder', ['e', 'es', 's', 'ss']),
  standard('NN', 'none', ['e'], ['e', 'ee']),
  standard('KK', 'both', ['e', 'es', 'ss'], ['e', 'ee', 'se']),
  standard('XK', 'responder', ['e', 'es'], ['e', 'ee'], ['s', 'se']),
  standard('IK', 'responder', ['e', 'es', 's', 'ss'], ['e', 'ee', 'se']),
  standard('XX', 'none', ['e'], ['e', 'ee', 's', 'es'], ['s', 'se']),
  standard('NNpsk0', 'none', ['psk', 'e'], ['e', 'ee']),
  standard('NNpsk2', 'none', ['e'], ['e', 'ee', 'psk']),
  standard('XXpsk3', 'none', ['e'], ['e', 'ee', 's', 'es'], ['s', 'se', 'psk']),
  standard('KKpsk0', 'both', ['psk', 'e', 'es', 'ss'], ['e', 'ee', 'se']),
  standard('KKpsk2', 'both', ['e', 'es', 'ss'], ['e', 'ee', 'se', 'psk']),
  standard('IKpsk1', 'responder', ['e', 'es', 's', 'ss', 'psk'], ['e', 'ee', 'se']),
  standard('IKpsk2', 'responder', ['e', 'es', 's', 'ss'], ['e', 'ee', 'se', 'psk']),
]);

/**
 * `enigm-kk-hfs-1`: sessions of the Key with its host. Ours, frozen, and no standard (SR-29): Noise has no ratified
 * hfs extension, and none with ML-KEM. The whole token list and its meaning: firmware-key/docs/enigm-kk-hfs-1.md.
 */
export const enigmKkHfs1: Pattern = {
  protocolName: 'enigm-kk-hfs-1',
  initiatorKnown: true,
  responderKnown: true,
  messages: [
    ['psk', 'e', 'es', 'e1', 'ss'],
    ['e', 'ee', 'ekem1', 'se'],
  ],
};

/** `enigm-xx-hfs-1`: pairing, where neither side knows the other's static key yet; the psk comes from CPace (SR-28). */
export const enigmXxHfs1: Pattern = {
  protocolName: 'enigm-xx-hfs-1',
  initiatorKnown: false,
  responderKnown: false,
  messages: [
    ['psk', 'e', 'e1'],
    ['e', 'ee', 'ekem1', 's', 'es'],
    ['s', 'se'],
  ],
};
