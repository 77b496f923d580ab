/**
 * Makes evidence in software, piece by piece, each of which a test may change: what an attacker with keys of his own
 * could send. That real TPMs make the same evidence is shown by the parts tests.
 */

import { createHash } from 'node:crypto';
import { globalVendor } from '#hal/core/guid';
import { unwrap } from '#hal/core/result';
import { nodeCrypto } from '#hal/crypto/node';
import { seededRandom } from '#hal/memory/random';
import { encodeSelections, pcrDigestOf } from '#hal/tpm/attest';
import { alg } from '#hal/tpm/constants';
import { type AttestFields, encodeAttest, encodeEcdsaSignature } from '#hal/tpm/structures.fixture';
import type { AppraisalInput } from './appraise.ts';
import { type Claims, encodeClaims } from './claims.ts';
import { parseEventLog } from './eventlog/parse.ts';
import { replayBank } from './eventlog/replay.ts';
import { encodeVariable } from './eventlog/variable.ts';
import { eventLogWriter } from './eventlog/write.ts';
import { encodeEvidence, evidenceInput, type Purpose, qualifyingData } from './evidence.ts';
import type { ReferenceSet } from './references.ts';

const random = seededRandom('forger');
export const attestationSecret = nodeCrypto.hash('sha256', random.bytes(32));
export const attestationKey = nodeCrypto.p256.publicKey(attestationSecret);
export const postQuantumSecret = random.bytes(32);
export const postQuantumKey = nodeCrypto.mlDsa65.publicKey(postQuantumSecret);
export const nowMs = Date.UTC(2026, 5, 1);
export const pcrs = [0, 1, 2, 3, 4, 5, 6, 7, 11];

export const session = {
  purpose: 'attest' as Purpose,
  verifier: 'the-verifier',
  relyingParty: 'account',
  nonce: random.bytes(32),
  deviceNonce: random.bytes(32),
  expiresMs: nowMs + 60_000,
};

export const claims: Claims = {
  nonce: session.nonce,
  deviceNonce: session.deviceNonce,
  relyingParty: session.relyingParty,
  handle: random.bytes(16),
  epoch: 1,
  bootId: random.bytes(16),
  confirmationKey: nodeCrypto.ed25519.publicKey(random.bytes(32)),
};

/** A boot of three programs; `isSecureBootOn` and `programs` are what a test changes. */
export const bootLog = ({
  isSecureBootOn = true,
  programs = ['one', 'two', 'three'],
  banks = ['sha256'] as readonly 'sha256'[],
} = {}): Uint8Array => {
  const log = eventLogWriter(banks);
  log.add({
    pcr: 7,
    type: 'EV_EFI_VARIABLE_DRIVER_CONFIG',
    data: encodeVariable(globalVendor, 'SecureBoot', Uint8Array.of(isSecureBootOn ? 1 : 0)),
  });
  for (let pcr = 0; pcr < 8; pcr += 1) log.add({ pcr, type: 'EV_SEPARATOR', data: new Uint8Array(4) });
  for (const program of programs)
    log.add({ pcr: 11, type: 'EV_IPL', data: Buffer.from(program), measured: Buffer.from(`code of ${program}`) });
  return log.bytes();
};

export const referenceOf = (log: Uint8Array): ReferenceSet => ({
  name: 'the-build',
  measurements: unwrap(parseEventLog(log))
    .events.filter(({ digests, type }) => digests.length > 0 && type !== 3)
    .map(({ pcr, type, digests }) => ({ pcr, type, digest: Buffer.from(digests[0] ?? []).toString('hex') })),
});

/** Everything that goes into evidence; each may be replaced. */
export interface Forgery {
  readonly claims: Claims;
  readonly purpose: Purpose;
  readonly verifier: string;
  readonly log: Uint8Array;
  readonly isLogSent: boolean;
  readonly pcrs: readonly number[];
  readonly values: readonly Uint8Array[];
  readonly attest: Partial<AttestFields>;
  /** Changes the bytes after the TPM would have signed them. */
  readonly tamperAttest: (attest: Uint8Array) => Uint8Array;
  /** Changes them before signing, as a key that is not restricted would allow. */
  readonly forgeAttest: (attest: Uint8Array) => Uint8Array;
  readonly quoteSecret: Uint8Array;
  readonly quoteSignature: (signature: Uint8Array) => Uint8Array;
  readonly postQuantumSecret: Uint8Array;
  readonly postQuantumKey: Uint8Array;
  readonly signature: (signature: Uint8Array) => Uint8Array;
}

const same = (bytes: Uint8Array): Uint8Array => bytes;

export const forge = (changed: Partial<Forgery> = {}): Uint8Array => {
  const log = changed.log ?? bootLog();
  const quoted = changed.pcrs ?? pcrs;
  const replayed = replayBank(unwrap(parseEventLog(log)), 'sha256');
  const forgery: Forgery = {
    claims,
    purpose: session.purpose,
    verifier: session.verifier,
    log,
    isLogSent: true,
    pcrs: quoted,
    values: quoted.map((pcr) => replayed?.get(pcr) ?? new Uint8Array(32)),
    attest: {},
    tamperAttest: same,
    forgeAttest: same,
    quoteSecret: attestationSecret,
    quoteSignature: same,
    postQuantumSecret,
    postQuantumKey,
    signature: same,
    ...changed,
  };
  const encodedClaims = encodeClaims(forgery.claims);
  const bootLogDigest = createHash('sha256').update(log).digest();
  const bound = qualifyingData({
    purpose: forgery.purpose,
    verifier: forgery.verifier,
    nonce: forgery.claims.nonce,
    claims: encodedClaims,
    bootLogDigest,
    postQuantumKey: forgery.postQuantumKey,
    confirmationKey: forgery.claims.confirmationKey,
  });
  const attest = forgery.forgeAttest(
    encodeAttest({
      extraData: bound,
      selections: encodeSelections([{ hash: alg.sha256, pcrs: forgery.pcrs }]),
      pcrDigest: pcrDigestOf(forgery.values),
      ...forgery.attest,
    }),
  );
  const rs = nodeCrypto.p256.sign(forgery.quoteSecret, attest) ?? new Uint8Array();
  const { payload, signed } = evidenceInput({
    purpose: forgery.purpose,
    verifier: forgery.verifier,
    claims: encodedClaims,
    quote: {
      attest: forgery.tamperAttest(attest),
      signature: forgery.quoteSignature(encodeEcdsaSignature(rs)),
      pcrValues: forgery.values,
    },
    pcrs: forgery.pcrs,
    bootLog: forgery.isLogSent ? { digest: bootLogDigest, bytes: log } : { digest: bootLogDigest },
    postQuantumKey: forgery.postQuantumKey,
  });
  return encodeEvidence(
    payload,
    forgery.signature(nodeCrypto.mlDsa65.sign(forgery.postQuantumSecret, signed) ?? new Uint8Array()),
  );
};

export const input = (evidence: Uint8Array, changed: Partial<AppraisalInput> = {}): AppraisalInput => ({
  evidence,
  session,
  endorsements: { attestationKey, postQuantumKey },
  references: [referenceOf(bootLog())],
  policy: { name: 'the-policy', requiredPcrs: [0, 4, 7, 11], requiresSecureBoot: true },
  knownLog: () => undefined,
  nowMs,
  ...changed,
});
