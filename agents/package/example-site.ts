/**
 * The site configuration as somebody fills it in. What has to be filled in stands between `<` and `>`, which no decoder
 * takes: a device does not start by accident with the trust of nobody in particular.
 */
const key = (whose: string) => ({ classical: `<Ed25519 key of ${whose}>`, postQuantum: `<ML-DSA-65 key of ${whose}>` });

export const exampleSite = {
  version: 1,
  verifier: {
    name: 'verifier',
    url: 'https://verifier.example:8443',
    authority: '<certificate of the authority that the verifier shows, PEM>',
    keys: key('the verifier'),
  },
  identityIssuer: key('the identity issuer'),
  accountService: key('the account service'),
  page: { port: 7070 },
  postureEverySeconds: 10,
} as const;
