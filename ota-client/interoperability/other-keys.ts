/** Keys that other people's repositories use (TUF 1.0 §4.2.1) and ours never do. Straight over `node:crypto`. */
import { constants, createPublicKey, type KeyObject, verify } from 'node:crypto';
import { utf8 } from '#hal/core/bytes';
import { attempt, deny } from '#hal/core/result';
import { deviceSchemes, type KeyScheme } from '#ota-client/trust/keys';

interface OtherScheme {
  readonly scheme: string;
  readonly keytypes: readonly string[];
  readonly accepts: (key: KeyObject) => boolean;
  readonly padding?: number;
}

const keyOf = (pem: string): KeyObject | undefined => {
  const key = attempt(
    () => createPublicKey({ key: pem, format: 'pem' }),
    (cause) => deny('integrity', 'key-scheme', cause),
  );
  return key.ok && pem.startsWith('-----BEGIN PUBLIC KEY-----') ? key.value : undefined;
};

const otherScheme = ({ scheme, keytypes, accepts, padding }: OtherScheme): KeyScheme => ({
  scheme,
  keytypes,
  keyClass: 'classical',
  readPublic(text) {
    const key = keyOf(text);
    return key !== undefined && accepts(key) ? utf8(key.export({ format: 'pem', type: 'spki' }).toString()) : undefined;
  },
  verify(_crypto, publicKey, canonical, signature) {
    const key = keyOf(new TextDecoder().decode(publicKey));
    return key !== undefined && verify('sha256', canonical, { key, ...(padding === undefined ? {} : { padding }) }, signature);
  },
});

/** §4.2.1: RSA keys have at least 2048 bits. */
const isRsa = (key: KeyObject): boolean =>
  key.asymmetricKeyType === 'rsa' && (key.asymmetricKeyDetails?.modulusLength ?? 0) >= 2048;

const isP256 = (key: KeyObject): boolean =>
  key.asymmetricKeyType === 'ec' && key.asymmetricKeyDetails?.namedCurve === 'prime256v1';

/** `ecdsa` is how the reference client spells the key type. */
const ecdsaP256 = otherScheme({
  scheme: 'ecdsa-sha2-nistp256',
  keytypes: ['ecdsa', 'ecdsa-sha2-nistp256'],
  accepts: isP256,
});

const rsaPss = otherScheme({
  scheme: 'rsassa-pss-sha256',
  keytypes: ['rsa'],
  accepts: isRsa,
  padding: constants.RSA_PKCS1_PSS_PADDING,
});

/** Not in TUF 1.0; the conformance suite signs with it by default. */
const rsaPkcs1 = otherScheme({
  scheme: 'rsa-pkcs1v15-sha256',
  keytypes: ['rsa'],
  accepts: isRsa,
  padding: constants.RSA_PKCS1_PADDING,
});

export const allSchemes: readonly KeyScheme[] = [...deviceSchemes, ecdsaP256, rsaPss, rsaPkcs1];
