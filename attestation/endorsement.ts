/**
 * Who vouches for a TPM: its endorsement certificate, up to a root that we trust for a class of TPM (SR-23).
 *
 * TCG EK Credential Profile for TPM Family 2.0, 2.5: §3.2 (key usage, EKU) and §3.2.9 (subject alternative name with
 * the TPM's manufacturer, model and version).
 */
import 'reflect-metadata';
import { X509Certificate } from 'node:crypto';
import {
  BasicConstraintsExtension,
  ExtendedKeyUsageExtension,
  X509Certificate as ParsedCertificate,
  SubjectAlternativeNameExtension,
} from '@peculiar/x509';
import type { TpmClass } from '#attestation/result';
import { equalBytes } from '#hal/core/bytes';
import { attempt, deny, ok, type Result } from '#hal/core/result';
import { type PublicArea, p256Point } from '#hal/tpm/public';

export interface EndorsementRoot {
  /** X.509 DER. */
  readonly certificate: Uint8Array;
  readonly tpmClass: TpmClass;
  /** `tcg`: certificates name the TPM's maker, model and version; `cloud`: a cloud's certificates of virtual TPMs do not. */
  readonly profile: 'tcg' | 'cloud';
}

const maxIntermediates = 3;
const maxCertificateBytes = 8192;
/** tcg-kp-EKCertificate. */
const endorsementUsage = '2.23.133.8.1';
/** tcg-at-tpmManufacturer, -tpmModel, -tpmVersion, as they stand in a directory name. */
const tpmAttributes = ['2.23.133.2.1', '2.23.133.2.2', '2.23.133.2.3'];

/**
 * @param leaf DER of the endorsement certificate
 * @param intermediates DER, leaf's issuer first
 * @returns the class that the root vouches for; `attestation/endorsement-chain`, `attestation/key-untrusted` for an
 * unknown root, `attestation/enrolment-proof` where the certificate is for another key
 */
export const verifyEndorsement = (
  leaf: Uint8Array,
  intermediates: readonly Uint8Array[],
  roots: readonly EndorsementRoot[],
  endorsement: PublicArea,
  nowMs: number,
): Result<TpmClass> => {
  if (intermediates.length > maxIntermediates) return deny('attestation', 'endorsement-chain', 'too long');
  const chain: Certificate[] = [];
  for (const der of [leaf, ...intermediates]) {
    const certificate = parseCertificate(der);
    if (!certificate.ok) return certificate;
    chain.push(certificate.value);
  }
  const [subject, ...issuers] = chain as [Certificate, ...Certificate[]];

  let last = subject;
  for (const issuer of issuers) {
    const problem = problemOfLink(last, issuer, nowMs);
    if (problem !== undefined) return deny('attestation', 'endorsement-chain', problem);
    last = issuer;
  }
  for (const root of roots) {
    const anchor = parseCertificate(root.certificate);
    if (!anchor.ok) return anchor;
    if (!last.native.checkIssued(anchor.value.native)) continue;
    const problem = problemOfLink(last, anchor.value, nowMs) ?? problemOfLeaf(subject, root.profile);
    if (problem !== undefined) return deny('attestation', 'endorsement-chain', problem);
    return isForKey(subject, endorsement)
      ? ok(root.tpmClass)
      : deny('attestation', 'enrolment-proof', 'certificate of another key');
  }
  return deny('attestation', 'key-untrusted', 'no root');
};

interface Certificate {
  readonly native: X509Certificate;
  readonly parsed: ParsedCertificate;
}

const parseCertificate = (der: Uint8Array): Result<Certificate> => {
  if (der.length > maxCertificateBytes) return deny('protocol', 'too-large', 'certificate');
  return attempt(
    () => ({ native: new X509Certificate(der), parsed: new ParsedCertificate(new Uint8Array(der)) }),
    (cause) => deny('protocol', 'certificate-invalid', cause),
  );
};

const problemOfLeaf = ({ native, parsed }: Certificate, profile: EndorsementRoot['profile']): string | undefined => {
  if (native.ca) return 'the endorsement certificate is an authority';
  const usage = parsed.getExtension(ExtendedKeyUsageExtension);
  if (usage !== null && !usage.usages.some((item) => String(item) === endorsementUsage)) return 'extended key usage';
  if (profile === 'cloud') return undefined;
  const names = parsed.getExtension(SubjectAlternativeNameExtension);
  const directory = names?.names.items.find((name) => name.type === 'dn')?.value ?? '';
  return tpmAttributes.every((attribute) => directory.includes(attribute))
    ? undefined
    : 'no TPM attributes in the alternative name';
};

/** Signature, names, validity of both and the issuer's right to issue. */
const problemOfLink = (subject: Certificate, issuer: Certificate, nowMs: number): string | undefined => {
  if (!subject.native.checkIssued(issuer.native)) return 'issuer name';
  if (!subject.native.verify(issuer.native.publicKey)) return 'signature';
  if (issuer.parsed.getExtension(BasicConstraintsExtension)?.ca !== true) return 'issuer is not an authority';
  for (const { parsed } of [subject, issuer])
    if (parsed.notBefore.getTime() > nowMs || parsed.notAfter.getTime() < nowMs) return 'validity';
  return undefined;
};

const isForKey = ({ native }: Certificate, endorsement: PublicArea): boolean => {
  const point = p256Point(endorsement);
  const jwk = native.publicKey.export({ format: 'jwk' });
  if (point === undefined || jwk.crv !== 'P-256' || jwk.x === undefined || jwk.y === undefined) return false;
  return equalBytes(point.subarray(1), Buffer.concat([Buffer.from(jwk.x, 'base64url'), Buffer.from(jwk.y, 'base64url')]));
};
