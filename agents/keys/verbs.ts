/** The five verbs of a key's life, as data. */

export const verbs = ['generation', 'protection', 'rotation', 'replacement', 'revocation'] as const;
export type VerbName = (typeof verbs)[number];

/** `device` and `tpm` are here; whoever else does it, does it elsewhere. */
export type Actor = 'device' | 'tpm' | 'technician' | 'owner' | 'custodians' | 'verifier' | 'key';

export interface Verb {
  readonly by: Actor;
  /** A sentence for people. */
  readonly how: string;
  /** Whether `enigmctl keys` does it here and now. */
  readonly hasCommand: boolean;
}

export interface KeyClassEntry extends Readonly<Record<VerbName, Verb>> {
  /** What its keys are for. */
  readonly use: string;
  readonly algorithms: string;
  /** Where the secret half is. */
  readonly where: string;
  /** Why no id is shown; absent where ids are. */
  readonly unnamed?: string;
  /** What follows when the last key of it is revoked here. */
  readonly withoutAny?: string;
}

export const verb = (by: Actor, how: string): Verb => ({ by, how, hasCommand: false });
/** What `enigmctl keys` does. */
export const command = (how: string): Verb => ({ by: 'device', how, hasCommand: true });
