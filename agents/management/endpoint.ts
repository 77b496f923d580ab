/** How the site configuration names a far end: an address, and the one authority that may vouch for it. */
import { text } from '#hal/core/config';

export const certificatePem = text(
  /^-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]{1,8192}-----END CERTIFICATE-----\s*$/,
  'one certificate in PEM',
);

/** With a host and a port that there can be: a request to another one throws. */
export const httpsUrl = text(/^https:\/\/[A-Za-z0-9.:[\]-]{1,255}(?:\/[a-z0-9/-]{0,64})?$/, 'an https URL', (value) =>
  URL.canParse(value),
);
