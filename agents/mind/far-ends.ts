/** Far ends as the mind reaches them: by way of the mouth, which sees bytes. */
import { ok, type Result } from '#hal/core/result';
import { passed } from '#hal/core/young-garbage';
import type { Clock } from '#hal/ports/clock';
import type { Exchange } from '#hal/ports/exchange';
import type { LinkMethods } from '#hal/remote/link-methods';
import type { Client } from '#hal/remote/methods';

/** A part of a file of the repository. */
export type ReadRange = (path: string, offset: number, mostBytes: number, signal: AbortSignal) => Promise<Result<Uint8Array>>;

export interface FarEnds {
  /** One request and its answer; opaque to the mouth. */
  readonly exchange: Exchange;
  /** A part of a file of the repository, not yet verified. */
  readonly read: ReadRange;
}

/** A mouth that starts again, since it was killed or its TPM socket is another one, is back within this. */
const awayMs = 5_000;
const askAgainMs = 250;

/**
 * A part of a file may be asked for again, so a mouth that is away for a moment costs no install.
 * @returns far ends that refuse as `link.post` and `link.range` do
 */
export const farEnds = (link: Client<LinkMethods>, clock: Pick<Clock, 'bootMs' | 'sleep'>): FarEnds => ({
  exchange: {
    async post(endpoint, body, signal) {
      const answered = await link.call('link.post', { endpoint, body }, { signal });
      return answered.ok ? ok(answered.value.body) : answered;
    },
  },
  async read(path, offset, mostBytes, signal) {
    const fromMs = clock.bootMs();
    for (;;) {
      const read = await link.call('link.range', { endpoint: 'repository', path, offset, mostBytes }, { signal });
      if (read.ok) {
        passed(read.value.part.length);
        return ok(read.value.part);
      }
      const isAway = read.fault.reason === 'program-down' && clock.bootMs() - fromMs < awayMs;
      if (!isAway || signal.aborted) return read;
      await clock.sleep(askAgainMs, signal);
    }
  },
});
