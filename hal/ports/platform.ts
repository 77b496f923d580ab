/** What the running kernel says of itself. A fact that could not be read is absent: never a default. */

import type { Result } from '#hal/core/result';
import type { PlatformFacts } from '#protos/gen/types';

export interface Platform {
  read(): Promise<Result<PlatformFacts>>;
}
