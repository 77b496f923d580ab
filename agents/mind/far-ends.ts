/** Far ends as the mind reaches them: by way of the mouth, which sees bytes. */
import { ok, type Result } from '#hal/core/result';
import { passed } from '#hal/core/young-garbage';
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

/** @returns far ends that refuse as `link.post` and `link.range` do */
export const farEnds = (link: Client<LinkMethods>): FarEnds => ({
  exchange: {
    async post(endpoint, body, signal) {
      const answered = await link.call('link.post', { endpoint, body }, { signal });
      return answered.ok ? ok(answered.value.body) : answered;
    },
  },
  async read(path, offset, mostBytes, signal) {
    const read = await link.call('link.range', { endpoint: 'repository', path, offset, mostBytes }, { signal });
    if (!read.ok) return read;
    passed(read.value.part.length);
    return ok(read.value.part);
  },
});
