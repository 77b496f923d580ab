/** The tensor engine of Active Defense, whichever works on this machine. */
import type { Result } from '#hal/core/result';

export interface Inference {
  /** Which engine answered its tensor self-test, or `unavailable/engine-missing` with what each candidate said in `detail`. */
  selfTest(): Promise<Result<EngineReport>>;
}

export interface EngineReport {
  /** `tensorflow` (native), `wasm` or `cpu`. */
  readonly engine: string;
  readonly version: string;
}
