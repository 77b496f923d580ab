/** How the device is fed and how warm it is: what somebody asks who is going to write its storage for minutes. */
import type { Result } from '#hal/core/result';
import type { SupplyFacts } from '#protos/gen/types';

export interface Supply {
  /** @returns what could be read; a fact that could not is absent, never a default */
  read(): Promise<Result<SupplyFacts>>;
}
