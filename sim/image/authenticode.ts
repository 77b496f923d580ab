/**
 * Signatures of boot images as UEFI Secure Boot verifies them (UEFI 2.10 §32.5): PKCS #7 SignedData over the digest of a
 * PE file, RSA PKCS #1 v1.5 with SHA-256, without a signing time, so that signing twice gives the same bytes.
 *
 * Sources: "Windows Authenticode Portable Executable Signature Format" (SpcIndirectDataContent), RFC 2315 (PKCS #7),
 * RFC 5652 §5.4 (signed attributes are signed as a SET OF).
 */
import { createHash, createPrivateKey, sign, verify, X509Certificate } from 'node:crypto';
import { element, integer, nothing, objectIdentifier, octets, sequence, setOf, tagged } from '#hal/core/der';
import type { Result } from '#hal/core/result';
import { authenticodeDigest, signatureOf, withSignature } from './pe.ts';

export interface ImageSigner {
  /** PEM, RSA. */
  readonly key: string;
  /** PEM. */
  readonly certificate: string;
}

const oid = {
  signedData: objectIdentifier('1.2.840.113549.1.7.2'),
  indirectData: objectIdentifier('1.3.6.1.4.1.311.2.1.4'),
  peImageData: objectIdentifier('1.3.6.1.4.1.311.2.1.15'),
  contentType: objectIdentifier('1.2.840.113549.1.9.3'),
  messageDigest: objectIdentifier('1.2.840.113549.1.9.4'),
  rsa: objectIdentifier('1.2.840.113549.1.1.1'),
  sha256: objectIdentifier('2.16.840.1.101.3.4.2.1'),
} as const;
const sha256Algorithm = sequence(oid.sha256, nothing);

/** @returns the signed file, or `protocol/malformed` where it is no PE file */
export const signImage = (file: Uint8Array, signer: ImageSigner): Result<Uint8Array> => {
  // The table of certificates begins at a multiple of 8, and what is before it is what is signed.
  const padded = new Uint8Array(Math.ceil(file.length / 8) * 8);
  padded.set(file);
  const digest = authenticodeDigest(padded);
  if (!digest.ok) return digest;
  const statement = statementOf(digest.value);
  const signature = sign('sha256', setOf(...statement.attributes), createPrivateKey(signer.key));
  return withSignature(padded, contentInfo(statement, signer.certificate, signature));
};

/**
 * Whether firmware that has this certificate in its db starts the file. Of all that a signature may look like, only what
 * `signImage` writes is one here.
 * @param certificate DER
 */
export const isSignedBy = (file: Uint8Array, certificate: Uint8Array): boolean => {
  const [digest, found] = [authenticodeDigest(file), signatureOf(file)];
  if (!digest.ok || !found.ok) return false;
  const statement = statementOf(digest.value);
  const { publicKey } = new X509Certificate(certificate);
  const { modulusLength = 0 } = publicKey.asymmetricKeyDetails ?? {};
  // The signature is the last of its elements.
  const signature = found.value.subarray(-modulusLength / 8);
  return (
    Buffer.compare(contentInfo(statement, certificate, signature), found.value) === 0 &&
    verify('sha256', setOf(...statement.attributes), publicKey, signature)
  );
};

interface Statement {
  readonly content: readonly Uint8Array[];
  readonly attributes: readonly Uint8Array[];
}

/** What is signed of a file: SpcIndirectDataContent, and the attributes over it. */
const statementOf = (digest: Uint8Array): Statement => {
  const file = tagged(2, element(0x80));
  const imageData = sequence(oid.peImageData, sequence(new Uint8Array([0x03, 0x01, 0x00]), tagged(0, file)));
  const content = [imageData, sequence(sha256Algorithm, octets(digest))];
  const attributes = [
    sequence(oid.contentType, setOf(oid.indirectData)),
    sequence(oid.messageDigest, setOf(octets(sha256(Buffer.concat(content))))),
  ];
  return { content, attributes };
};

/** PKCS #7 ContentInfo, DER. @param certificate PEM or DER */
const contentInfo = ({ content, attributes }: Statement, certificate: string | Uint8Array, signature: Uint8Array): Uint8Array => {
  const { issuer, serial, der } = partsOf(certificate);
  const signerInfo = sequence(
    integer(1),
    sequence(issuer, serial),
    sha256Algorithm,
    tagged(0, ...attributes.toSorted((a, b) => Buffer.compare(a, b))),
    sequence(oid.rsa, nothing),
    octets(signature),
  );
  return sequence(
    oid.signedData,
    tagged(
      0,
      sequence(
        integer(1),
        setOf(sha256Algorithm),
        sequence(oid.indirectData, tagged(0, sequence(...content))),
        tagged(0, der),
        setOf(signerInfo),
      ),
    ),
  );
};

/** Issuer and serial number as they stand in the certificate: RFC 5280 §4.1, TBSCertificate. */
const partsOf = (
  encoded: string | Uint8Array,
): { readonly der: Uint8Array; readonly issuer: Uint8Array; readonly serial: Uint8Array } => {
  const der = new Uint8Array(new X509Certificate(encoded).raw);
  const [certificate = der] = elementsOf(der);
  const [body = der] = elementsOf(contentOf(certificate));
  const [, serial = der, , issuer = der] = elementsOf(contentOf(body));
  return { der, issuer, serial };
};

interface Header {
  readonly start: number;
  readonly end: number;
}
const headerOf = (bytes: Uint8Array): Header => {
  const first = bytes[1] ?? 0;
  if (first < 0x80) return { start: 2, end: 2 + first };
  const digits = bytes.subarray(2, 2 + (first & 0x7f));
  return { start: 2 + digits.length, end: 2 + digits.length + digits.reduce((length, digit) => length * 256 + digit, 0) };
};
const contentOf = (bytes: Uint8Array): Uint8Array => bytes.subarray(headerOf(bytes).start, headerOf(bytes).end);
const elementsOf = (bytes: Uint8Array): readonly Uint8Array[] => {
  const found: Uint8Array[] = [];
  for (let rest = bytes; rest.length > 1; rest = rest.subarray(headerOf(rest).end))
    found.push(rest.subarray(0, headerOf(rest).end));
  return found;
};

const sha256 = (bytes: Uint8Array): Uint8Array => createHash('sha256').update(bytes).digest();
