/** `AppHost` of a machine that is not there: apps are names. What it allows and refuses is what a real one must. */
import { createHash } from 'node:crypto';
import { encodeMessage } from '#hal/core/message';
import { deny, done, ok } from '#hal/core/result';
import type { AppHost } from '#hal/ports/app-host';
import type { Clock } from '#hal/ports/clock';
import type { AppManifest, AppsState } from '#protos/gen/types';

const nothing: AppManifest = { version: 0, apps: [] };

/** SHA-256 of the manifest: what is read back where exactly it is in force. */
export const manifestDigest = (manifest: AppManifest): Uint8Array =>
  createHash('sha256').update(encodeMessage('AppManifest', manifest)).digest();

export const memoryAppHost = (clock: Clock): AppHost => {
  let manifest = nothing;
  const running = new Map<string, Uint8Array>();
  const blocks = new Map<string, number>();
  const entryOf = (app: string) => manifest.apps.find((entry) => entry.app === app);
  const isBlocked = (app: string) => (blocks.get(app) ?? 0) > clock.bootMs();
  const state = (): AppsState => ({
    digest: manifestDigest(manifest),
    running: [...running.keys()].sort(),
    blocks: [...blocks].filter(([app]) => isBlocked(app)).map(([app, untilBootMs]) => ({ app, untilBootMs })),
  });
  return {
    async allow(next) {
      manifest = next;
      for (const [app, digest] of running) {
        const entry = entryOf(app);
        if (entry === undefined || Buffer.compare(entry.digest, digest) !== 0) running.delete(app);
      }
      return ok(state());
    },
    async start(app) {
      const entry = entryOf(app);
      if (entry === undefined) return deny('policy', 'app-not-allowed');
      if (isBlocked(app)) return deny('intelligence', 'blocked');
      running.set(app, entry.digest);
      return done;
    },
    async block(app, untilBootMs) {
      blocks.set(app, Math.max(untilBootMs, blocks.get(app) ?? 0));
      running.delete(app);
      return ok(state());
    },
    read: async () => ok(state()),
  };
};
