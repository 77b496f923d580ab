/** What starts apps, and nothing that it was not told to start. */
import type { Result } from '#hal/core/result';
import type { AppManifest, AppsState } from '#protos/gen/types';

export interface AppHost {
  /**
   * From now on these and no others; what runs and is not among them, or is another version of it, ends.
   * @returns what was read back
   */
  allow(manifest: AppManifest): Promise<Result<AppsState>>;
  /** @returns `policy/app-not-allowed`, `intelligence/blocked` */
  start(app: string): Promise<Result<void>>;
  /** Ends the app and does not start it before then, whatever else is asked. */
  block(app: string, untilBootMs: number): Promise<Result<AppsState>>;
  read(): Promise<Result<AppsState>>;
}
