/** For tests: certificate authorities and what they issue, each detail of which a test may change. */
import 'reflect-metadata';
import { createPrivateKey, type JsonWebKey, webcrypto } from 'node:crypto';
import {
  BasicConstraintsExtension,
  cryptoProvider,
  type Extension,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  X509CertificateGenerator,
} from '@peculiar/x509';

cryptoProvider.set(webcrypto);

const signing = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const halfAYearMs = 182 * 86_400_000;

export interface TestAuthority {
  /** DER. */
  readonly certificate: Uint8Array;
  readonly pem: string;
  readonly name: string;
  readonly keys: webcrypto.CryptoKeyPair;
}

/** From half a year ago to half a year ahead, where a test says nothing else. */
export interface Validity {
  readonly nowMs: number;
  readonly notBeforeMs?: number;
  readonly notAfterMs?: number;
}

export interface AuthorityDetails extends Validity {
  /** Itself, where none is given. */
  readonly issuer?: TestAuthority;
  readonly isAuthority?: boolean;
  readonly pathLength?: number;
  readonly usage?: KeyUsageFlags;
}

const newKeys = async () => (await webcrypto.subtle.generateKey(signing, true, ['sign', 'verify'])) as webcrypto.CryptoKeyPair;

export const newAuthority = async (name: string, details: AuthorityDetails): Promise<TestAuthority> => {
  const keys = await newKeys();
  const { issuer, isAuthority = true, pathLength, usage = KeyUsageFlags.keyCertSign } = details;
  const certificate = await issue(issuer ?? { name, keys }, name, keys.publicKey, details, [
    new BasicConstraintsExtension(isAuthority, pathLength, true),
    new KeyUsagesExtension(usage, true),
  ]);
  return { certificate: new Uint8Array(certificate.rawData), pem: certificate.toString('pem'), name, keys };
};

export const issue = (
  issuer: Pick<TestAuthority, 'name' | 'keys'>,
  subject: string,
  publicKey: webcrypto.CryptoKey,
  { nowMs, notBeforeMs = nowMs - halfAYearMs, notAfterMs = nowMs + halfAYearMs }: Validity,
  extensions: Extension[],
) =>
  X509CertificateGenerator.create({
    subject: `CN=${subject}`,
    issuer: `CN=${issuer.name}`,
    notBefore: new Date(notBeforeMs),
    notAfter: new Date(notAfterMs),
    publicKey,
    signingKey: issuer.keys.privateKey,
    signingAlgorithm: signing,
    extensions,
  });

/** A TLS server's certificate and key, PEM, for one address or name. */
export const certifyServer = async (
  issuer: TestAuthority,
  host: { readonly ip?: string; readonly dns?: string },
  validity: Validity,
) => {
  const keys = await newKeys();
  const certificate = await issue(issuer, 'server', keys.publicKey, validity, [
    new BasicConstraintsExtension(false, undefined, true),
    new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
    new SubjectAlternativeNameExtension(
      host.ip === undefined ? [{ type: 'dns', value: host.dns ?? '' }] : [{ type: 'ip', value: host.ip }],
    ),
  ]);
  const jwk = (await webcrypto.subtle.exportKey('jwk', keys.privateKey)) as JsonWebKey;
  const key = createPrivateKey({ key: jwk, format: 'jwk' }).export({ type: 'pkcs8', format: 'pem' }).toString();
  return { certificate: certificate.toString('pem'), key };
};
