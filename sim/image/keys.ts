/**
 * Keys under which a simulated machine starts images: platform, key exchange, releases, and recovery, which has one of
 * its own (SR-33). They are made once in a folder, lie there in clear, and are in no trust store of a release (SR-04).
 */
import 'reflect-metadata';
import { createPrivateKey, type JsonWebKey, webcrypto, X509Certificate } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cryptoProvider, X509CertificateGenerator } from '@peculiar/x509';
import type { ImageSigner } from './authenticode.ts';

cryptoProvider.set(webcrypto);

export const imageKeyNames = ['platform', 'key-exchange', 'release', 'recovery'] as const;
export type ImageKeyName = (typeof imageKeyNames)[number];
export type ImageKeys = Readonly<Record<ImageKeyName, ImageSigner>>;

const algorithm = {
  name: 'RSASSA-PKCS1-v1_5',
  hash: 'SHA-256',
  modulusLength: 2048,
  publicExponent: new Uint8Array([1, 0, 1]),
} as const;
/** Firmware looks at no clock when it starts an image (UEFI 2.10 §32.5.3): fixed, so that the same key gives the same certificate. */
const validity = { notBefore: new Date(Date.UTC(2023, 0, 1)), notAfter: new Date(Date.UTC(2053, 0, 1)) } as const;

export const imageKeysIn = async (folder: string): Promise<ImageKeys> => {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const signers: [ImageKeyName, ImageSigner][] = [];
  for (const [index, name] of imageKeyNames.entries()) signers.push([name, await signerIn(folder, name, index + 1)]);
  return Object.fromEntries(signers) as Record<ImageKeyName, ImageSigner>;
};

const signerIn = async (folder: string, name: ImageKeyName, serial: number): Promise<ImageSigner> => {
  const files = { key: join(folder, `${name}.key`), certificate: join(folder, `${name}.crt`) };
  if (!existsSync(files.certificate)) {
    const keys = (await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])) as webcrypto.CryptoKeyPair;
    const certificate = await X509CertificateGenerator.createSelfSigned({
      name: `CN=Enigm simulated ${name}`,
      serialNumber: serial.toString(16).padStart(2, '0'),
      ...validity,
      keys,
      signingAlgorithm: algorithm,
    });
    const secret = (await webcrypto.subtle.exportKey('jwk', keys.privateKey)) as JsonWebKey;
    const pem = createPrivateKey({ key: secret, format: 'jwk' }).export({ format: 'pem', type: 'pkcs8' });
    writeFileSync(files.key, pem, { mode: 0o600 });
    writeFileSync(files.certificate, certificate.toString('pem'));
  }
  return { key: readFileSync(files.key, 'utf8'), certificate: readFileSync(files.certificate, 'utf8') };
};

export const derOf = ({ certificate }: ImageSigner): Uint8Array => new Uint8Array(new X509Certificate(certificate).raw);
