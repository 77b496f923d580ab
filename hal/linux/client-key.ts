/**
 * The key of a TLS client: in the TPM where it can be had, and otherwise one of this process's own (SR-02).
 *
 * A process that was started with OpenSSL's provider for TPMs takes the file of a wrapped key like any other; what signs is
 * then the TPM. The provider's connection to the TPM lasts as long as the process: when the other end was started anew,
 * only another process finds it (`replaced-socket.ts`).
 */
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { deny, type Fault } from '#hal/core/result';
import { readIfThere } from './atomic-file.ts';

export interface ClientKey {
  /** SubjectPublicKeyInfo in DER. */
  readonly publicKey: Uint8Array;
  /** PEM, for a TLS context: of a key that is the TPM's, what the TPM wrapped. */
  readonly pem: string;
  /** Why the key is one of our own. */
  readonly fault?: Fault;
}

/**
 * @param path of the file with the wrapped key
 * @returns the key as it is now: each call asks the TPM. A key of our own is the same for the life of the process.
 */
export const clientKeys = (path: string): (() => ClientKey) => {
  let made: ClientKey | undefined;
  const own = (fault: Fault): ClientKey => {
    made ??= ownKey();
    return { ...made, fault };
  };
  return () => {
    const file = readIfThere(path);
    if (!file.ok) return own(file.fault);
    if (file.value === undefined) return own(deny('unavailable', 'not-provisioned').fault);
    const pem = Buffer.from(file.value).toString('latin1');
    try {
      return { publicKey: infoOf(createPublicKey(createPrivateKey(pem))), pem };
    } catch (error) {
      return own(whyNot(error as NodeJS.ErrnoException));
    }
  };
};

const ownKey = (): ClientKey => {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  return { publicKey: infoOf(publicKey), pem: privateKey.export({ format: 'pem', type: 'pkcs8' }).toString() };
};

const infoOf = (key: KeyObject): Uint8Array => new Uint8Array(key.export({ format: 'der', type: 'spki' }));

/** Without the provider nobody knows what kind of file it is. */
const whyNot = ({ code, message }: NodeJS.ErrnoException): Fault =>
  code === 'ERR_OSSL_UNSUPPORTED'
    ? deny('unavailable', 'not-supported', 'no provider for TPMs').fault
    : deny('unavailable', 'tpm-failed', message).fault;
