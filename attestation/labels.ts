/** Claim labels: CWT (RFC 8392), EAT (RFC 9711), EAR (draft-ietf-rats-ear-04), and our own as text. */
export const label = {
  audience: 3,
  expires: 4,
  issuedAt: 6,
  confirmation: 8,
  nonce: 10,
  profile: 265,
  submodules: 266,
  earStatus: 1000,
  earTrustVector: 1001,
  earPolicy: 1003,
  earVerifier: 1004,
} as const;

/** Profiles carry the revision of the drafts they follow (SR-35). */
export const evidenceProfile = 'tag:enigm.device,2026:evidence-1';
export const resultProfile = 'tag:enigm.device,2026:ear-04-1';
