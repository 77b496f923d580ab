/** The beacon relay's part of the site configuration, which it reads by itself: a mistake elsewhere does not silence it (SR-11). */
import { type Decoded, decodeJson, object, text } from '#hal/core/config';
import { deny, ok, type Result } from '#hal/core/result';
import { certificatePem, httpsUrl } from './endpoint.ts';

export const beaconSite = object({
  /** The Key's line: a stable name, `/dev/serial/by-id/…`. */
  link: text(/^\/[^\0\n]{1,1023}$/, 'an absolute path'),
  courier: object({ url: httpsUrl, authority: certificatePem }),
});

export type BeaconSite = Decoded<typeof beaconSite>;

/** @returns the relay's part, or `protocol/config-invalid` where it is missing or not as expected */
export const parseBeaconSite = (json: string): Result<BeaconSite> => {
  const site = decodeJson(json, (value) => ok(value));
  if (!site.ok) return site;
  const beacon = (site.value as { readonly beacon?: unknown } | null)?.beacon;
  return beacon === undefined ? deny('protocol', 'config-invalid', 'beacon: expected an object') : beaconSite(beacon, 'beacon');
};
