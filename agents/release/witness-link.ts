/** How the keeper of a log asks a witness elsewhere: `add-checkpoint` of C2SP tlog-witness over HTTPS, its authority pinned. */
import { request } from 'node:https';
import { deny, ok, type Result } from '#hal/core/result';
import { bodyWithin } from '#hal/linux/http-body';
import type { Endpoint } from '#hal/linux/https-exchange';
import type { AskedWitness } from '#ota-client/transparency/gather';
import { maxRequestBytes, type WitnessAnswer } from '#ota-client/transparency/witness-request';

/** Below the submission prefix of a witness. */
export const submission = '/add-checkpoint';
/** A witness compares and signs; what takes longer will not come. */
const timeoutMs = 15_000;
const statuses = [200, 400, 403, 404, 409, 422, 500] as const;

/** @param url submission prefix, without a slash at its end. @returns a way to ask; it answers `unavailable/peer-unreachable` where nobody does */
export const askWitness =
  ({ url, authority }: Endpoint): AskedWitness['ask'] =>
  (body) =>
    new Promise<Result<WitnessAnswer>>((resolve) => {
      const failed = (cause: unknown) => resolve(deny('unavailable', 'peer-unreachable', String(cause)));
      const signal = AbortSignal.timeout(timeoutMs);
      const options = { method: 'POST', ca: authority, minVersion: 'TLSv1.3', agent: false, signal } as const;
      const asking = request(`${url}${submission}`, options, async (response) => {
        const said = await bodyWithin(response, maxRequestBytes);
        const status = statuses.find((known) => known === response.statusCode);
        if (said === undefined || status === undefined) return failed(`status ${response.statusCode}`);
        return resolve(ok({ status, body: said }));
      });
      asking.once('error', failed);
      asking.end(body);
    });
