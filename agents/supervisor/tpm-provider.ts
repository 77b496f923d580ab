/**
 * OpenSSL's provider for TPMs (Debian's tpm2-openssl), as the mouth is started with it (SR-02): config(5), and in its
 * environment the TPM, which is the filtered socket of the hands.
 *
 * `default_properties` hold for the whole process: keys of a type that a TPM has are the TPM's, also the public ones of far
 * ends, which is why those have Ed25519. Random bytes, digests and ciphers stay in the process: without the first of the
 * three exceptions Node waits for the TPM before it runs. Where there is no provider, or no TPM, `soft_load` lets it start.
 */
import { socketPath } from '#agents/programs/layout';

const machine = process.arch === 'arm64' ? 'aarch64' : 'x86_64';
const modules = `/usr/lib/${machine}-linux-gnu/ossl-modules`;

export const tpmProvider = {
  module: `${modules}/tpm2.so`,
  /** Beside the bundles. */
  configName: 'linkd.cnf',
} as const;

/** Of a process whose sockets are in this folder. */
export const tpmEnvironment = (runDirectory: string): Readonly<Record<string, string>> => ({
  OPENSSL_MODULES: modules,
  TPM2OPENSSL_TCTI: `mssim:path=${socketPath(runDirectory, 'tpm')}`,
  // What cannot be had is said once, by the program.
  TSS2_LOG: 'all+NONE',
});

/** A section may not have the name of the one that everything else is in. */
export const tpmProviderConfig = (): string =>
  [
    'nodejs_conf = enigm',
    ...['[enigm]', 'providers = providers', 'alg_section = algorithms'],
    ...['[providers]', 'default = default_provider', 'base = base_provider', 'tpm2 = tpm_provider'],
    ...['[default_provider]', 'activate = 1', '[base_provider]', 'activate = 1'],
    ...['[tpm_provider]', 'soft_load = 1', 'activate = 1'],
    '[algorithms]',
    'default_properties = ?provider=tpm2,tpm2.rand!=yes,tpm2.digest!=yes,tpm2.cipher!=yes',
    '',
  ].join('\n');
