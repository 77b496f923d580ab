/** Files of a repository over HTTP. Only for the executable of this folder: a device fetches through its mouth. */
import { concatAll } from '#hal/core/bytes';
import { causeOf, deny, ok } from '#hal/core/result';
import type { Fetch } from '#ota-client/trust/session';

const patienceMs = 60_000;

/** @returns a fetcher below `baseUrl`; 403 and 404 say that there is no such file (TUF 1.0 §5.3.3) */
export const httpFetch =
  (baseUrl: string): Fetch =>
  async (name, maxBytes, signal) => {
    try {
      const url = `${baseUrl.replace(/\/$/, '')}/${quoted(name)}`;
      const response = await fetch(url, { signal: AbortSignal.any([signal, AbortSignal.timeout(patienceMs)]) });
      if (response.status === 404 || response.status === 403) return deny('unavailable', 'not-found', name);
      if (!response.ok || response.body === null) return deny('unavailable', 'peer-refused-us', `${name}: ${response.status}`);
      const chunks: Uint8Array[] = [];
      let total = 0;
      for await (const chunk of response.body) {
        total += chunk.length;
        if (total > maxBytes) return deny('protocol', 'too-large', name);
        chunks.push(chunk);
      }
      return ok(concatAll(chunks));
    } catch (error) {
      return deny('unavailable', 'peer-unreachable', causeOf(error));
    }
  };

/** Names of roles come quoted already; a path of a target may hold what a URL gives a meaning. */
const quoted = (name: string): string => name.replaceAll('?', '%3F').replaceAll('#', '%23');
