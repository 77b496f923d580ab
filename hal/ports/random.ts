/** Randomness as a parameter, so that a seed replays a run. */
export interface Random {
  /** `count` bytes fit for keys and nonces. */
  bytes(count: number): Uint8Array;
}
