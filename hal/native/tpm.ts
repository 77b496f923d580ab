/** `Tpm` over ESYS: a persistent attestation key, an endorsement key made when needed, one NV counter. */
import { wipe } from '#hal/core/bytes';
import { inTurn } from '#hal/core/in-turn';
import { deny, ok, type Result } from '#hal/core/result';
import type { CryptoBackend } from '#hal/crypto/backend';
import type { Counter, Quote, Tpm, TpmIdentity } from '#hal/ports/tpm';
import { areRegisters, encodeSelections } from '#hal/tpm/attest';
import { alg } from '#hal/tpm/constants';
import { tpm2b } from '#hal/tpm/public';
import { encodedTemplate } from '#hal/tpm/templates';
import { contentOf, empty2b, keyScheme, noPcrs, noSymmetric, sensitiveCreate } from '#hal/tpm/wire';
import { kinds } from '#protos/kinds';
import { handles } from './commands.ts';
import { derive } from './device-keys.ts';
import type { DeviceSecret } from './device-secret.ts';
import type { Esys } from './esys.ts';
import { isAbsent, nvIndex, persistent } from './layout.ts';
import { isTpmError, oddAnswer, tpmResult } from './tpm-error.ts';
import { type TransientScope, transientScope } from './transient.ts';

const password = [handles.password] as const;

/** TPM2_PCR_Read answers with at most this many values (TPML_DIGEST, Part 2 §10.9.3). */
const pcrsPerRead = 8;
const pcrReadAttempts = 5;

export const esysTpm = (esys: Esys, crypto: CryptoBackend, unseal: () => Promise<Result<DeviceSecret>>): Tpm => {
  let identity: TpmIdentity | undefined;

  const readIdentity = async (): Promise<TpmIdentity> => {
    const written = await readNv(esys, nvIndex.endorsementCertificate);
    const attestationKey = await esys.handleOf(persistent.attestationKey, []);
    const [attestationPublic] = await esys.readPublic(attestationKey, []);
    await using scope = await transientScope(esys);
    const endorsement = await createEndorsementKey(esys, scope);
    return {
      endorsementPublic: endorsement.publicArea,
      attestationPublic: structureOf(attestationPublic),
      ...(written === undefined || !canBeCertificate(written) ? {} : { endorsementCertificate: written }),
    };
  };

  const turn = inTurn();
  /** One after the other: ESYS keeps the authorization with the handle, and it is taken away again after each use. */
  const withCounter = (use: (counter: number) => Promise<void>): Promise<Result<Counter>> => turn(() => usingCounter(use));
  const usingCounter = async (use: (counter: number) => Promise<void>): Promise<Result<Counter>> => {
    const unsealed = await unseal();
    if (!unsealed.ok) return unsealed;
    const { secret, counterBase } = unsealed.value;
    const auth = counterAuth(crypto, secret);
    const sized = tpm2b(auth);
    wipe(secret, auth);
    const value = await tpmResult(
      (async () => {
        const counter = await esys.handleOf(nvIndex.auditCounter, []);
        try {
          await esys.setAuth(counter, sized);
          await use(counter);
          return await readCounterValue(esys, counter);
        } finally {
          await esys.setAuth(counter, empty2b);
        }
      })(),
    );
    wipe(sized);
    return value.ok ? ok({ value: value.value, base: counterBase }) : value;
  };

  return {
    async identity() {
      if (identity !== undefined) return ok(identity);
      const read = await tpmResult(readIdentity());
      if (read.ok) identity = read.value;
      return read;
    },
    activate: ({ credentialBlob, encryptedSecret }) =>
      tpmResult(
        (async () => {
          const attestationKey = await esys.handleOf(persistent.attestationKey, []);
          await using scope = await transientScope(esys);
          const endorsement = await createEndorsementKey(esys, scope);
          // The endorsement key is used under PolicySecret(endorsement): EK Credential Profile 2.5 §B.3.3.
          const session = scope.keep(
            await esys.startAuthSession(handles.none, handles.none, [], null, 1, noSymmetric, alg.sha256),
          );
          await esys.policySecret(handles.endorsement, session, password, null, null, null, 0);
          const sessions = [handles.password, session];
          return structureOf(
            await esys.activateCredential(attestationKey, endorsement.handle, sessions, credentialBlob, encryptedSecret),
          );
        })(),
      ),
    async quote(qualifyingData, pcrs) {
      if (!areRegisters(pcrs)) return deny('protocol', 'field-invalid', 'registers');
      const selection = encodeSelections([{ hash: alg.sha256, pcrs }]);
      // Registers may move between reading and quoting: read on both sides until nothing did.
      for (let attempt = 0; attempt < pcrReadAttempts; attempt += 1) {
        const taken = await tpmResult(takeQuote(esys, selection, qualifyingData, pcrs));
        if (!taken.ok) return taken;
        if (taken.value !== undefined) return ok(taken.value);
      }
      return deny('unavailable', 'tpm-failed', 'the registers do not hold still');
    },
    readCounter: () => withCounter(async () => undefined),
    advanceCounter: () => withCounter((counter) => esys.nvIncrement(counter, counter, password)),
  };
};

const takeQuote = async (
  esys: Esys,
  selection: Uint8Array,
  qualifyingData: Uint8Array,
  pcrs: readonly number[],
): Promise<Quote | undefined> => {
  const attestationKey = await esys.handleOf(persistent.attestationKey, []);
  const before = await readPcrs(esys, pcrs);
  const [attest, signature] = await esys.quote(attestationKey, password, tpm2b(qualifyingData), keyScheme, selection);
  const after = await readPcrs(esys, []);
  return before.updates === after.updates
    ? { attest: structureOf(attest), signature: new Uint8Array(signature), pcrValues: before.values }
    : undefined;
};

interface PcrReading {
  /** pcrUpdateCounter: changes with every extend. */
  readonly updates: number;
  readonly values: readonly Uint8Array[];
}

/** The SHA-256 values of the registers, in ascending order. */
const readPcrs = async (esys: Esys, pcrs: readonly number[], attempts = pcrReadAttempts): Promise<PcrReading> => {
  if (attempts === 0) oddAnswer('the registers do not hold still');
  const values: Uint8Array[] = [];
  let updates: number | undefined;
  for (let start = 0; start < Math.max(1, pcrs.length); start += pcrsPerRead) {
    const wanted = pcrs.slice(start, start + pcrsPerRead);
    const [counter, , digests] = await esys.pcrRead([], encodeSelections([{ hash: alg.sha256, pcrs: wanted }]));
    updates ??= counter;
    if (counter !== updates) return readPcrs(esys, pcrs, attempts - 1);
    values.push(...digestsIn(digests, wanted.length));
  }
  return { updates: updates ?? 0, values };
};

/** TPML_DIGEST, Part 2 §10.9.3: a count, then sized digests; here so many of 32 bytes. */
const digestsIn = (digests: Uint8Array, count: number): readonly Uint8Array[] => {
  const sized = Array.from({ length: count }, (_, index) => digests.slice(4 + index * 34, 4 + (index + 1) * 34));
  const isWhole = digests.length === 4 + count * 34 && sized.every(([high, low]) => high === 0 && low === 32);
  return isWhole ? sized.map((digest) => digest.slice(2)) : oddAnswer(`${digests.length} bytes for ${count} registers`);
};

/** What a TPM2B holds, of a size that messages take as kind `tpm`. */
const structureOf = (sized: Uint8Array): Uint8Array => {
  const content = contentOf(sized);
  const { least, most } = kinds.tpm;
  return content.length >= least && content.length <= most ? content : oddAnswer(`a structure of ${content.length} bytes`);
};

/** An index that somebody defined and never filled, or filled with more than a certificate has, holds none. */
const canBeCertificate = ({ length }: Uint8Array): boolean =>
  length >= kinds.certificate.least && length <= kinds.certificate.most;

export const createEndorsementKey = async (esys: Esys, scope: TransientScope) => {
  const [handle, publicArea] = await esys.createPrimary(
    handles.endorsement,
    password,
    sensitiveCreate(new Uint8Array(), new Uint8Array()),
    tpm2b(encodedTemplate.endorsement),
    empty2b,
    noPcrs,
  );
  return { handle: scope.keep(handle), publicArea: structureOf(publicArea) };
};

/** Only who can unseal the device secret can move the counter. */
export const counterAuth = (crypto: CryptoBackend, secret: Uint8Array): Uint8Array => derive(crypto, secret, 'audit-counter');

export const readCounterValue = async (esys: Esys, counter: number): Promise<number> => {
  const bytes = contentOf(await esys.nvRead(counter, counter, password, counterBytes, 0));
  if (bytes.length !== counterBytes) return oddAnswer(`a counter of ${bytes.length} bytes`);
  const value = Number(new DataView(bytes.buffer, bytes.byteOffset, bytes.length).getBigUint64(0));
  return Number.isSafeInteger(value) ? value : oddAnswer(`a counter at ${value}`);
};

/** TPM_NT_COUNTER, Part 2 §13.2. */
const counterBytes = 8;

/** The whole content of an NV index that anybody may read; undefined where there is none. */
export const readNv = async (esys: Esys, index: number): Promise<Uint8Array | undefined> => {
  try {
    const handle = await esys.handleOf(index, []);
    const [publicInfo] = await esys.nvReadPublic(handle, []);
    const sizeBytes = new DataView(publicInfo.buffer, publicInfo.byteOffset, publicInfo.length).getUint16(publicInfo.length - 2);
    const content = new Uint8Array(sizeBytes);
    for (let offset = 0; offset < sizeBytes; ) {
      const wantedBytes = Math.min(maxNvReadBytes, sizeBytes - offset);
      const part = contentOf(await esys.nvRead(handle, handle, password, wantedBytes, offset));
      if (part.length === 0 || part.length > wantedBytes) oddAnswer(`${part.length} bytes for ${wantedBytes} of an index`);
      content.set(part, offset);
      offset += part.length;
    }
    return content;
  } catch (error) {
    if (isTpmError(error) && isAbsent(error.rc)) return undefined;
    throw error;
  }
};

/** TPM_PT_NV_BUFFER_MAX is at least this much on every TPM of a PC client. */
const maxNvReadBytes = 512;
