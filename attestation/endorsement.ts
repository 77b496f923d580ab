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
  KeyUsageFlags,
  KeyUsagesExtension,
  Name,
  X509Certificate as ParsedCertificate,
  SubjectAlternativeNameExtension,
} from '@peculiar/x509';
import type { TpmClass } from '#attestation/result';
import { equalBytes } from '#hal/core/bytes';
import { attempt, deny, type Failure, ok, type Result } from '#hal/core/result';
import { type PublicArea, p256Point } from '#hal/tpm/public';

export interface EndorsementRoot {
  /** X.509 DER. */
  readonly certificate: Uint8Array;
  readonly tpmClass: TpmClass;
  /** `tcg`: certificates name the TPM's maker, model and version; `cloud`: a cloud's certificates of virtual TPMs do not. */
  readonly profile: 'tcg' | 'cloud';
}

/** How many authorities may stand between an endorsement certificate and its root. */
const maxIntermediates = 3;
const maxCertificateBytes = 8192;
/** tcg-kp-EKCertificate. */
const endorsementUsage = '2.23.133.8.1';
/** tcg-at-tpmManufacturer, -tpmModel, -tpmVersion, as they stand in a directory name. */
const tpmAttributes = ['2.23.133.2.1', '2.23.133.2.2', '2.23.133.2.3'];

/**
 * @param leaf DER of the endorsement certificate
 * @param intermediates DER, in any order: those of all makers and factories that may stand below the roots
 * @returns the class that the root vouches for; `attestation/endorsement-chain`, `attestation/key-untrusted` for an
 * unknown issuer, `attestation/enrolment-proof` where the certificate is for another key; `protocol/certificate-invalid`,
 * `protocol/too-large`
 */
export const verifyEndorsement = (
  leaf: Uint8Array,
  intermediates: readonly Uint8Array[],
  roots: readonly EndorsementRoot[],
  endorsement: PublicArea,
  nowMs: number,
): Result<TpmClass> => {
  const subject = parseCertificate(leaf);
  if (!subject.ok) return subject;
  const anchors: Anchor[] = [];
  for (const root of roots) {
    const issuer = parseCertificate(root.certificate);
    if (!issuer.ok) return issuer;
    anchors.push({ ...root, issuer: issuer.value });
  }
  const factories: Certificate[] = [];
  for (const der of intermediates) {
    const factory = parseCertificate(der);
    if (!factory.ok) return factory;
    factories.push(factory.value);
  }

  // Both libraries read a key and a name when they are asked for them, and throw where they cannot.
  const judged = attempt(() => judgeChain(subject.value, factories, anchors, endorsement, nowMs), unreadable);
  return judged.ok ? judged.value : judged;
};

interface Certificate {
  readonly native: X509Certificate;
  readonly parsed: ParsedCertificate;
}
interface Anchor extends EndorsementRoot {
  readonly issuer: Certificate;
}

const unreadable = (cause: string): Failure => deny('protocol', 'certificate-invalid', cause);

const parseCertificate = (der: Uint8Array): Result<Certificate> => {
  if (der.length > maxCertificateBytes) return deny('protocol', 'too-large', 'certificate');
  return attempt(() => ({ native: new X509Certificate(der), parsed: new ParsedCertificate(new Uint8Array(der)) }), unreadable);
};

/** From the leaf upwards. @throws where a key or a name in a certificate cannot be read */
const judgeChain = (
  leaf: Certificate,
  factories: readonly Certificate[],
  anchors: readonly Anchor[],
  endorsement: PublicArea,
  nowMs: number,
): Result<TpmClass> => {
  let last = leaf;
  for (let below = 0; below <= maxIntermediates; below += 1) {
    const anchor = anchors.find(({ issuer }) => isIssuedBy(last, issuer));
    const issuer = anchor?.issuer ?? factories.find((factory) => isIssuedBy(last, factory));
    if (issuer === undefined) return deny('attestation', 'key-untrusted', 'no root');
    const problem = problemOfLink(last, issuer, below, nowMs);
    if (problem !== undefined) return deny('attestation', 'endorsement-chain', problem);
    if (anchor !== undefined) return judgeLeaf(leaf, anchor, endorsement);
    last = issuer;
  }
  return deny('attestation', 'endorsement-chain', 'too long');
};

/** By names, key identifiers, key usage and signature. */
const isIssuedBy = (subject: Certificate, issuer: Certificate): boolean =>
  subject.native.checkIssued(issuer.native) && subject.native.verify(issuer.native.publicKey);

/**
 * Validity of both and the issuer's right to issue (RFC 5280 §4.2.1.9).
 * @param below how many authorities stand below the issuer
 */
const problemOfLink = (subject: Certificate, issuer: Certificate, below: number, nowMs: number): string | undefined => {
  const constraints = issuer.parsed.getExtension(BasicConstraintsExtension);
  if (constraints?.ca !== true) return 'issuer is not an authority';
  if (constraints.pathLength !== undefined && below > constraints.pathLength) return 'path length';
  // Of a time that is none OpenSSL makes no number, which is neither before nor after anything; the other library makes it 1899.
  for (const { native } of [subject, issuer])
    if (!(native.validFromDate.getTime() <= nowMs && nowMs <= native.validToDate.getTime())) return 'validity';
  return undefined;
};

const judgeLeaf = (subject: Certificate, root: EndorsementRoot, endorsement: PublicArea): Result<TpmClass> => {
  const problem = problemOfLeaf(subject, root.profile);
  if (problem !== undefined) return deny('attestation', 'endorsement-chain', problem);
  return isForKey(subject, endorsement)
    ? ok(root.tpmClass)
    : deny('attestation', 'enrolment-proof', 'certificate of another key');
};

const problemOfLeaf = ({ parsed }: Certificate, profile: EndorsementRoot['profile']): string | undefined => {
  if (parsed.getExtension(BasicConstraintsExtension)?.ca === true) return 'the endorsement certificate is an authority';
  // An ECC endorsement key agrees on keys; the certificate of a signing key of the same TPM does not vouch for one.
  const keyUsage = parsed.getExtension(KeyUsagesExtension);
  if (keyUsage === null || (keyUsage.usages & KeyUsageFlags.keyAgreement) === 0) return 'key usage';
  const usage = parsed.getExtension(ExtendedKeyUsageExtension);
  if (usage !== null && !usage.usages.some((item) => String(item) === endorsementUsage)) return 'extended key usage';
  if (profile === 'cloud') return undefined;
  const names = parsed.getExtension(SubjectAlternativeNameExtension);
  const directory = new Name(names?.names.items.find((name) => name.type === 'dn')?.value ?? '');
  return tpmAttributes.every((attribute) => directory.getField(attribute).length > 0)
    ? undefined
    : 'no TPM attributes in the alternative name';
};

const isForKey = ({ native }: Certificate, endorsement: PublicArea): boolean => {
  const point = p256Point(endorsement);
  const { asymmetricKeyType, asymmetricKeyDetails } = native.publicKey;
  if (point === undefined || asymmetricKeyType !== 'ec' || asymmetricKeyDetails?.namedCurve !== 'prime256v1') return false;
  const { x = '', y = '' } = native.publicKey.export({ format: 'jwk' });
  return equalBytes(point.subarray(1), Buffer.concat([Buffer.from(x, 'base64url'), Buffer.from(y, 'base64url')]));
};
