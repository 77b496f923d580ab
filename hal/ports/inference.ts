/** The tensor engine of Active Defense, whichever works on this machine. */
import type { Result } from '#hal/core/result';
import type { CallWindow } from '#hal/ports/signals';

export interface Inference {
  /** Which engine answered its tensor self-test, or `unavailable/engine-missing` with what each candidate said in `detail`. */
  selfTest(): Promise<Result<EngineReport>>;
  /**
   * A second opinion: each window scored by the same model, as tensors.
   * @param model an encoded `DetectionModel`
   * @returns points of 0 to 100 of each output of the model, of each window; or a fault of the model, `unavailable/engine-missing`
   */
  score(model: Uint8Array, windows: readonly CallWindow[]): Promise<Result<readonly (readonly number[])[]>>;
}

export interface EngineReport {
  /** `tensorflow` (native), `wasm` or `cpu`. */
  readonly engine: string;
  readonly version: string;
}
