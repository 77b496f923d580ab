/** For tests: endorsement certificates, each detail of which a test may change. */
import 'reflect-metadata';
import { KeyObject, sign, webcrypto } from 'node:crypto';
import {
  BasicConstraintsExtension,
  ExtendedKeyUsageExtension,
  type Extension,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
} from '@peculiar/x509';
import { bits, objectIdentifier, sequence } from '#hal/core/der';
import { issue, type TestAuthority, type Validity } from '#hal/linux/certificates.fixture';
import { alg, curve } from '#hal/tpm/constants';
import type { PublicArea } from '#hal/tpm/public';
import { endorsementTemplate } from '#hal/tpm/templates';

const agreement = { name: 'ECDH', namedCurve: 'P-256' };
/** Certificates are valid around this, where a test says nothing else. */
export const nowMs = Date.UTC(2026, 5, 1);

/** EK Credential Profile 2.5 §3.2.9: maker, model and version. */
export const tpmName = '2.23.133.2.1=id:454E4947+2.23.133.2.2=Test TPM+2.23.133.2.3=id:00010000';

interface EndorsementDetails extends Partial<Validity> {
  readonly isAuthority?: boolean;
  readonly usage?: KeyUsageFlags | undefined;
  readonly extendedUsages?: readonly string[] | undefined;
  readonly directory?: string | undefined;
}

/** @param point uncompressed P-256 point. @returns DER of a certificate that passes where `details` says nothing else */
export const certifyEndorsement = async (
  issuer: TestAuthority,
  point: Uint8Array,
  details: EndorsementDetails = {},
): Promise<Uint8Array> => {
  const { usage, extendedUsages, directory } = {
    usage: KeyUsageFlags.keyAgreement,
    extendedUsages: ['2.23.133.8.1'],
    directory: tpmName,
    ...details,
  };
  const extensions: Extension[] = [new BasicConstraintsExtension(details.isAuthority ?? false, undefined, true)];
  if (usage !== undefined) extensions.push(new KeyUsagesExtension(usage, true));
  if (extendedUsages !== undefined) extensions.push(new ExtendedKeyUsageExtension([...extendedUsages]));
  if (directory !== undefined) extensions.push(new SubjectAlternativeNameExtension([{ type: 'dn', value: directory }], true));
  const publicKey = await webcrypto.subtle.importKey('raw', new Uint8Array(point), agreement, true, []);
  const certificate = await issue(issuer, 'TPM', publicKey, { nowMs, ...details }, extensions);
  return new Uint8Array(certificate.rawData);
};

const ecdsaWithSha256 = sequence(objectIdentifier('1.2.840.10045.4.3.2'));

/**
 * What a maker signed that writes certificates by another rule than ours.
 * @param certificate DER, of 256 to 65535 bytes
 * @param edit changes what is signed, in place
 */
export const signedAgain = (issuer: TestAuthority, certificate: Uint8Array, edit: (signed: Buffer) => void): Uint8Array => {
  const headerBytes = 4;
  const from = Buffer.from(certificate).subarray(headerBytes);
  const signed = from.subarray(0, headerBytes + from.readUInt16BE(2));
  edit(signed);
  const signature = sign('sha256', signed, KeyObject.from(issuer.keys.privateKey));
  return sequence(signed, ecdsaWithSha256, bits(signature));
};

/** The public area of an endorsement key (template L-2) with this point. */
export const endorsementAreaOf = (point: Uint8Array): PublicArea => ({
  ...endorsementTemplate,
  nameAlg: alg.sha256,
  key: {
    type: 'ecc',
    symmetric: { bits: 128 },
    scheme: undefined,
    curve: curve.p256,
    x: point.subarray(1, 33),
    y: point.subarray(33),
  },
});
