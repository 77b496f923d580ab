/**
 * The simulator's own certificate authorities: one vouches for software TPMs, one for TLS servers. Their certificates
 * are in no trust store of a release (SR-04).
 */
import 'reflect-metadata';
import { createPrivateKey, createPublicKey, type JsonWebKey, type KeyObject, webcrypto } from 'node:crypto';
import {
  BasicConstraintsExtension,
  cryptoProvider,
  ExtendedKeyUsageExtension,
  type Extension,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  X509Certificate,
  X509CertificateGenerator,
} from '@peculiar/x509';
import { unwrap } from '#hal/core/result';
import type { Clock } from '#hal/ports/clock';
import { p256Point, parsePublic } from '#hal/tpm/public';

cryptoProvider.set(webcrypto);

/** As it lies in the peers' directory. */
export interface Authority {
  /** PEM. */
  readonly certificate: string;
  readonly key: JsonWebKey;
}

export interface ServerIdentity {
  /** PEM. */
  readonly certificate: string;
  readonly key: string;
}

export type KeyKind = 'p256' | 'ed25519';

const algorithms = {
  p256: { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' },
  ed25519: { name: 'Ed25519' },
} as const;
const validityMs = 20 * 365 * 86_400_000;
/** Valid from a day before, so that a clock that is set back does not end the day. */
const backMs = 86_400_000;
/** tcg-kp-EKCertificate. */
const endorsementUsage = '2.23.133.8.1';
/** EK Credential Profile 2.5 §3.2.9: maker, model and version of the TPM. */
const softwareTpmName = '2.23.133.2.1=id:454E4947+2.23.133.2.2=Enigm simulated TPM+2.23.133.2.3=id:00010000';

export const newAuthority = async (name: string, kind: KeyKind, clock: Clock): Promise<Authority> => {
  const keys = (await webcrypto.subtle.generateKey(algorithms[kind], true, ['sign', 'verify'])) as webcrypto.CryptoKeyPair;
  const certificate = await X509CertificateGenerator.createSelfSigned({
    name: `CN=${name}`,
    ...validity(clock),
    keys: keys,
    signingAlgorithm: algorithms[kind],
    extensions: [new BasicConstraintsExtension(true, 0, true), new KeyUsagesExtension(KeyUsageFlags.keyCertSign, true)],
  });
  return {
    certificate: certificate.toString('pem'),
    key: (await webcrypto.subtle.exportKey('jwk', keys.privateKey)) as JsonWebKey,
  };
};

export const certificateDer = (pem: string): Uint8Array =>
  new Uint8Array(Buffer.from(pem.replace(/-----[A-Z ]+-----|\s/g, ''), 'base64'));

/** @param endorsementPublic TPMT_PUBLIC of an ECC P-256 endorsement key. @returns DER */
export const certifyEndorsement = async (
  authority: Authority,
  endorsementPublic: Uint8Array,
  clock: Clock,
): Promise<Uint8Array> => {
  const point = p256Point(unwrap(parsePublic(endorsementPublic)));
  if (point === undefined) throw new TypeError('the endorsement key is not ECC P-256');
  const publicKey = await webcrypto.subtle.importKey('raw', point, { name: 'ECDH', namedCurve: 'P-256' }, true, []);
  const certificate = await issue(authority, 'p256', clock, {
    publicKey: publicKey,
    extensions: [
      new BasicConstraintsExtension(false, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.keyAgreement, true),
      new ExtendedKeyUsageExtension([endorsementUsage]),
      new SubjectAlternativeNameExtension([{ type: 'dn', value: softwareTpmName }], true),
    ],
  });
  return new Uint8Array(certificate.rawData);
};

/** A TLS server's certificate for the loopback address, with an Ed25519 key (SR-02: a type that no TPM provider owns). */
/** Of this machine: as it sees itself, and as a guest of QEMU's user network sees it. */
const serverAddresses = ['127.0.0.1', '10.0.2.2'] as const;

export const certifyServer = async (authority: Authority, clock: Clock): Promise<ServerIdentity> => {
  const keys = (await webcrypto.subtle.generateKey(algorithms.ed25519, true, ['sign', 'verify'])) as webcrypto.CryptoKeyPair;
  const certificate = await issue(authority, 'ed25519', clock, {
    publicKey: keys.publicKey,
    extensions: [
      new BasicConstraintsExtension(false, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
      new SubjectAlternativeNameExtension(serverAddresses.map((value) => ({ type: 'ip', value }))),
    ],
  });
  const key: KeyObject = createPrivateKey({
    key: (await webcrypto.subtle.exportKey('jwk', keys.privateKey)) as JsonWebKey,
    format: 'jwk',
  });
  return { certificate: certificate.toString('pem'), key: key.export({ type: 'pkcs8', format: 'pem' }).toString() };
};

/** @param info SubjectPublicKeyInfo in DER. @returns what kind of key it is; undefined for any other than these two */
export const keyKindOf = (info: Uint8Array): KeyKind | undefined => {
  try {
    const key = createPublicKey({ key: Buffer.from(info), format: 'der', type: 'spki' });
    if (key.asymmetricKeyType === 'ed25519') return 'ed25519';
    return key.asymmetricKeyDetails?.namedCurve === 'prime256v1' ? 'p256' : undefined;
  } catch {
    return undefined;
  }
};

/**
 * A client of the message broker, by the key that it has.
 * @param label 32 hexadecimal digits, the name under which the broker knows it
 * @param info SubjectPublicKeyInfo in DER, of a kind that `keyKindOf` knows
 * @returns PEM
 */
export const certifyClient = async (
  authority: Authority,
  label: string,
  info: Uint8Array,
  lifeMs: number,
  clock: Clock,
): Promise<string> => {
  const kind = keyKindOf(info);
  if (kind === undefined) throw new TypeError('a key that no client has');
  const key = await webcrypto.subtle.importKey('spki', Buffer.from(info), algorithms[kind], true, ['verify']);
  const certificate = await issue(authority, 'ed25519', clock, {
    name: `CN=${label}`,
    lifeMs,
    publicKey: key,
    extensions: [
      new BasicConstraintsExtension(false, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
      new ExtendedKeyUsageExtension(['1.3.6.1.5.5.7.3.2']),
    ],
  });
  return certificate.toString('pem');
};

interface Subject {
  readonly name?: string;
  readonly lifeMs?: number;
  readonly publicKey: webcrypto.CryptoKey;
  readonly extensions: Extension[];
}

const issue = async (
  authority: Authority,
  kind: KeyKind,
  clock: Clock,
  { name = 'CN=Enigm simulator', lifeMs = validityMs, publicKey, extensions }: Subject,
): Promise<X509Certificate> => {
  const signingKey = await webcrypto.subtle.importKey('jwk', authority.key as webcrypto.JsonWebKey, algorithms[kind], false, [
    'sign',
  ]);
  return X509CertificateGenerator.create({
    subject: name,
    issuer: new X509Certificate(authority.certificate).subject,
    ...validity(clock, lifeMs),
    publicKey,
    signingKey,
    signingAlgorithm: algorithms[kind],
    extensions,
  });
};

const validity = (clock: Clock, lifeMs = validityMs) => ({
  notBefore: new Date(clock.nowMs() - backMs),
  notAfter: new Date(clock.nowMs() + lifeMs),
});
