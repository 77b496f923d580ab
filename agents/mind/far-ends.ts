/** Far ends as the mind reaches them: by way of the mouth, which sees bytes. */
import { ok, type Result } from '#hal/core/result';
import { passed } from '#hal/core/young-garbage';
import type { Clock } from '#hal/ports/clock';
import type { Exchange } from '#hal/ports/exchange';
import type { LinkMethods } from '#hal/remote/link-methods';
import type { SocketClient } from '#hal/remote/socket-client';

/** A part of a file of the repository. */
export type ReadRange = (path: string, offset: number, mostBytes: number, signal: AbortSignal) => Promise<Result<Uint8Array>>;

export interface FarEnds {
  /** One request and its answer; opaque to the mouth. */
  readonly exchange: Exchange;
  /** A part of a file of the repository, not yet verified. */
  readonly read: ReadRange;
}

/** A mouth that starts, with the device or again since it was killed or its TPM socket is another one, is there within this. */
const awayMs = 5_000;
const askAgainMs = 250;

/**
 * A mouth that is away for a moment costs nobody an answer. A part of a file may be asked for again; what is posted is
 * posted once, so that it waits only while nobody listens.
 * @returns far ends that refuse as `link.post` and `link.range` do
 */
export const farEnds = (link: SocketClient<LinkMethods>, clock: Pick<Clock, 'bootMs' | 'sleep'>): FarEnds => {
  const whileAway = async <T>(signal: AbortSignal, ask: () => Promise<Result<T>>): Promise<Result<T>> => {
    const fromMs = clock.bootMs();
    for (;;) {
      const asked = await ask();
      const isAway = !asked.ok && asked.fault.reason === 'program-down' && clock.bootMs() - fromMs < awayMs;
      if (!isAway || signal.aborted) return asked;
      await clock.sleep(askAgainMs, signal);
    }
  };
  return {
    exchange: {
      async post(endpoint, body, signal) {
        const there = await whileAway(signal, () => link.connect());
        if (!there.ok) return there;
        const answered = await link.call('link.post', { endpoint, body }, { signal });
        return answered.ok ? ok(answered.value.body) : answered;
      },
    },
    async read(path, offset, mostBytes, signal) {
      const range = { endpoint: 'repository', path, offset, mostBytes };
      const read = await whileAway(signal, () => link.call('link.range', range, { signal }));
      if (!read.ok) return read;
      passed(read.value.part.length);
      return ok(read.value.part);
    },
  };
};
