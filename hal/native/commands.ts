/**
 * The commands of the addon, typed. Sections are of TPM 2.0 Part 3 (Commands).
 *
 * Arguments are those of the ESYS function in its order, but the three session handles are one list. Structures are
 * `Uint8Array`s in wire form, `null` where the C function takes NULL. A malformed argument throws at once and nothing
 * is sent; an error of the TPM or the stack rejects with a `TpmError`. Several results come as a tuple.
 */
import type { NativeEsys } from './load.ts';
import type { Wire } from './structures.ts';

/** ESYS_TR: a handle of the ESYS context, not the TPM's own. Good in the `Esys` that gave it, until it is flushed or closed. */
export type EsysHandle = number;

/** At most three sessions, the one that authorizes the first handle first. `[handles.password]` is the empty or set auth value. */
export type Sessions = readonly EsysHandle[];

/** The fixed ESYS_TRs (tss2_esys.h). PCR n is handle n. */
export const handles = {
  none: 0xfff,
  password: 0x0ff,
  owner: 0x101,
  null: 0x107,
  lockout: 0x10a,
  endorsement: 0x10b,
  platform: 0x10c,
} as const;

export interface Commands {
  /** §9.3. @param startupType TPM_SU: 0 clear, 1 state */
  startup(startupType: number): Promise<void>;
  /** §9.4. @param shutdownType TPM_SU: 0 clear, 1 state */
  shutdown(sessions: Sessions, shutdownType: number): Promise<void>;
  /** §10.2. @param fullTest 1: test everything again */
  selfTest(sessions: Sessions, fullTest: 0 | 1): Promise<void>;
  /** §16.1. @param bytesRequested the TPM may give fewer (at most the size of its largest digest) */
  getRandom(sessions: Sessions, bytesRequested: number): Promise<Wire<'TPM2B_DIGEST'>>;
  /** §30.2. */
  getCapability(
    sessions: Sessions,
    capability: number,
    property: number,
    propertyCount: number,
  ): Promise<[moreData: number, capabilityData: Wire<'TPMS_CAPABILITY_DATA'>]>;

  /** §11.1. @param sessionType TPM_SE: 0 HMAC, 1 policy, 3 trial. @param authHash TPM_ALG_ID */
  startAuthSession(
    tpmKey: EsysHandle,
    bind: EsysHandle,
    sessions: Sessions,
    nonceCaller: Wire<'TPM2B_NONCE'> | null,
    sessionType: number,
    symmetric: Wire<'TPMT_SYM_DEF'>,
    authHash: number,
  ): Promise<EsysHandle>;
  /** No command of the TPM. @param attributes TPMA_SESSION, Part 2 §8.4. @param mask which of them are set */
  setSessionAttributes(session: EsysHandle, attributes: number, mask: number): Promise<void>;
  /** §23.4. @param expirationSeconds 0: does not expire; negative: a ticket is wanted */
  policySecret(
    authHandle: EsysHandle,
    policySession: EsysHandle,
    sessions: Sessions,
    nonceTpm: Wire<'TPM2B_NONCE'> | null,
    cpHash: Wire<'TPM2B_DIGEST'> | null,
    policyRef: Wire<'TPM2B_NONCE'> | null,
    expirationSeconds: number,
  ): Promise<[timeout: Wire<'TPM2B_TIMEOUT'>, ticket: Wire<'TPMT_TK_AUTH'>]>;
  /** §23.7. @param pcrDigest empty or null: whatever the registers hold now */
  policyPcr(
    policySession: EsysHandle,
    sessions: Sessions,
    pcrDigest: Wire<'TPM2B_DIGEST'> | null,
    pcrs: Wire<'TPML_PCR_SELECTION'>,
  ): Promise<void>;
  /** §23.16. */
  policyAuthorize(
    policySession: EsysHandle,
    sessions: Sessions,
    approvedPolicy: Wire<'TPM2B_DIGEST'>,
    policyRef: Wire<'TPM2B_NONCE'>,
    keySign: Wire<'TPM2B_NAME'>,
    checkTicket: Wire<'TPMT_TK_VERIFIED'>,
  ): Promise<void>;
  /** §23.22. */
  policyAuthorizeNv(authHandle: EsysHandle, nvIndex: EsysHandle, policySession: EsysHandle, sessions: Sessions): Promise<void>;
  /** §23.11. @param commandCode TPM_CC */
  policyCommandCode(policySession: EsysHandle, sessions: Sessions, commandCode: number): Promise<void>;
  /** §23.13. */
  policyCpHash(policySession: EsysHandle, sessions: Sessions, cpHash: Wire<'TPM2B_DIGEST'>): Promise<void>;
  /** §23.14. */
  policyNameHash(policySession: EsysHandle, sessions: Sessions, nameHash: Wire<'TPM2B_DIGEST'>): Promise<void>;
  /** §23.9. Checked here, not when the session is used. @param operation TPM_EO, Part 2 §6.8 */
  policyNv(
    authHandle: EsysHandle,
    nvIndex: EsysHandle,
    policySession: EsysHandle,
    sessions: Sessions,
    operandB: Wire<'TPM2B_OPERAND'>,
    offsetBytes: number,
    operation: number,
  ): Promise<void>;
  /** §23.17. */
  policyAuthValue(policySession: EsysHandle, sessions: Sessions): Promise<void>;
  /** §23.19. */
  policyGetDigest(policySession: EsysHandle, sessions: Sessions): Promise<Wire<'TPM2B_DIGEST'>>;

  /** §24.1. Flush the handle: a TPM holds three transient objects. */
  createPrimary(
    primary: EsysHandle,
    sessions: Sessions,
    sensitive: Wire<'TPM2B_SENSITIVE_CREATE'>,
    template: Wire<'TPM2B_PUBLIC'>,
    outsideInfo: Wire<'TPM2B_DATA'>,
    creationPcrs: Wire<'TPML_PCR_SELECTION'>,
  ): Promise<
    [
      handle: EsysHandle,
      publicArea: Wire<'TPM2B_PUBLIC'>,
      creationData: Wire<'TPM2B_CREATION_DATA'>,
      creationHash: Wire<'TPM2B_DIGEST'>,
      creationTicket: Wire<'TPMT_TK_CREATION'>,
    ]
  >;
  /** §12.1. */
  create(
    parent: EsysHandle,
    sessions: Sessions,
    sensitive: Wire<'TPM2B_SENSITIVE_CREATE'>,
    template: Wire<'TPM2B_PUBLIC'>,
    outsideInfo: Wire<'TPM2B_DATA'>,
    creationPcrs: Wire<'TPML_PCR_SELECTION'>,
  ): Promise<
    [
      privateArea: Wire<'TPM2B_PRIVATE'>,
      publicArea: Wire<'TPM2B_PUBLIC'>,
      creationData: Wire<'TPM2B_CREATION_DATA'>,
      creationHash: Wire<'TPM2B_DIGEST'>,
      creationTicket: Wire<'TPMT_TK_CREATION'>,
    ]
  >;
  /** §12.2. Flush the handle. */
  load(
    parent: EsysHandle,
    sessions: Sessions,
    privateArea: Wire<'TPM2B_PRIVATE'>,
    publicArea: Wire<'TPM2B_PUBLIC'>,
  ): Promise<EsysHandle>;
  /** §12.3. Under `handles.null` the TPM gives no verification tickets: load a policy key under `handles.owner`. */
  loadExternal(
    sessions: Sessions,
    privateArea: Wire<'TPM2B_SENSITIVE'> | null,
    publicArea: Wire<'TPM2B_PUBLIC'>,
    hierarchy: EsysHandle,
  ): Promise<EsysHandle>;
  /** §12.4. */
  readPublic(
    object: EsysHandle,
    sessions: Sessions,
  ): Promise<[publicArea: Wire<'TPM2B_PUBLIC'>, name: Wire<'TPM2B_NAME'>, qualifiedName: Wire<'TPM2B_NAME'>]>;
  /** §28.4. For transient objects and sessions. */
  flushContext(handle: EsysHandle): Promise<void>;
  /** §28.5. Persist a transient object, or evict a persistent one (its handle, then `handles.none` comes back). */
  evictControl(authHandle: EsysHandle, object: EsysHandle, sessions: Sessions, persistentHandle: number): Promise<EsysHandle>;

  /** A handle for a persistent object, NV index or session that the TPM holds under `tpmHandle`. */
  handleOf(tpmHandle: number, sessions: Sessions): Promise<EsysHandle>;
  /** The auth value that later password and HMAC sessions use for this handle. */
  setAuth(handle: EsysHandle, auth: Wire<'TPM2B_AUTH'>): Promise<void>;
  nameOf(handle: EsysHandle): Promise<Wire<'TPM2B_NAME'>>;
  /** Forget a handle here; the object stays in the TPM. */
  closeHandle(handle: EsysHandle): Promise<void>;
  /** Bytes that only ESYS reads: for a persistent object or NV index, so that another process need not ask the TPM again. */
  serializeHandle(handle: EsysHandle): Promise<Uint8Array>;
  deserializeHandle(serialized: Uint8Array): Promise<EsysHandle>;

  /** §12.6. */
  makeCredential(
    endorsementKey: EsysHandle,
    sessions: Sessions,
    credential: Wire<'TPM2B_DIGEST'>,
    objectName: Wire<'TPM2B_NAME'>,
  ): Promise<[credentialBlob: Wire<'TPM2B_ID_OBJECT'>, secret: Wire<'TPM2B_ENCRYPTED_SECRET'>]>;
  /** §12.5. Two authorizations: the object's, then the endorsement key's. */
  activateCredential(
    object: EsysHandle,
    endorsementKey: EsysHandle,
    sessions: Sessions,
    credentialBlob: Wire<'TPM2B_ID_OBJECT'>,
    secret: Wire<'TPM2B_ENCRYPTED_SECRET'>,
  ): Promise<Wire<'TPM2B_DIGEST'>>;
  /** §12.7. Wipe the result after use. */
  unseal(object: EsysHandle, sessions: Sessions): Promise<Wire<'TPM2B_SENSITIVE_DATA'>>;

  /** §18.2. Two authorizations: the object's, then the signing key's. */
  certify(
    object: EsysHandle,
    signingKey: EsysHandle,
    sessions: Sessions,
    qualifyingData: Wire<'TPM2B_DATA'>,
    scheme: Wire<'TPMT_SIG_SCHEME'>,
  ): Promise<[attest: Wire<'TPM2B_ATTEST'>, signature: Wire<'TPMT_SIGNATURE'>]>;
  /** §18.4. */
  quote(
    signingKey: EsysHandle,
    sessions: Sessions,
    qualifyingData: Wire<'TPM2B_DATA'>,
    scheme: Wire<'TPMT_SIG_SCHEME'>,
    pcrs: Wire<'TPML_PCR_SELECTION'>,
  ): Promise<[attest: Wire<'TPM2B_ATTEST'>, signature: Wire<'TPMT_SIGNATURE'>]>;
  /** §18.7. Two authorizations: the endorsement hierarchy's, then the signing key's. */
  getTime(
    privacyAdmin: EsysHandle,
    signingKey: EsysHandle,
    sessions: Sessions,
    qualifyingData: Wire<'TPM2B_DATA'>,
    scheme: Wire<'TPMT_SIG_SCHEME'>,
  ): Promise<[attest: Wire<'TPM2B_ATTEST'>, signature: Wire<'TPMT_SIGNATURE'>]>;
  /** §29.1. */
  readClock(sessions: Sessions): Promise<Wire<'TPMS_TIME_INFO'>>;
  /** §20.2. */
  sign(
    key: EsysHandle,
    sessions: Sessions,
    digest: Wire<'TPM2B_DIGEST'>,
    scheme: Wire<'TPMT_SIG_SCHEME'>,
    validation: Wire<'TPMT_TK_HASHCHECK'>,
  ): Promise<Wire<'TPMT_SIGNATURE'>>;
  /** §20.1. */
  verifySignature(
    key: EsysHandle,
    sessions: Sessions,
    digest: Wire<'TPM2B_DIGEST'>,
    signature: Wire<'TPMT_SIGNATURE'>,
  ): Promise<Wire<'TPMT_TK_VERIFIED'>>;

  /** §22.2. */
  pcrExtend(pcr: EsysHandle, sessions: Sessions, digests: Wire<'TPML_DIGEST_VALUES'>): Promise<void>;
  /** §22.3. */
  pcrEvent(pcr: EsysHandle, sessions: Sessions, eventData: Wire<'TPM2B_EVENT'>): Promise<Wire<'TPML_DIGEST_VALUES'>>;
  /** §22.4. The TPM gives at most eight values and says in the selection which. */
  pcrRead(
    sessions: Sessions,
    selection: Wire<'TPML_PCR_SELECTION'>,
  ): Promise<[updateCounter: number, selection: Wire<'TPML_PCR_SELECTION'>, values: Wire<'TPML_DIGEST'>]>;
  /** §22.8. */
  pcrReset(pcr: EsysHandle, sessions: Sessions): Promise<void>;
  /** §22.5: which banks there are, from the TPM's next reset on. A bank that is not named stays as it is. */
  pcrAllocate(
    authHandle: EsysHandle,
    sessions: Sessions,
    allocation: Wire<'TPML_PCR_SELECTION'>,
  ): Promise<[isDone: number, mostRegisters: number, neededBytes: number, availableBytes: number]>;

  /** §31.3. */
  nvDefineSpace(
    authHandle: EsysHandle,
    sessions: Sessions,
    auth: Wire<'TPM2B_AUTH'>,
    publicInfo: Wire<'TPM2B_NV_PUBLIC'>,
  ): Promise<EsysHandle>;
  /** §31.4. */
  nvUndefineSpace(authHandle: EsysHandle, nvIndex: EsysHandle, sessions: Sessions): Promise<void>;
  /** §31.13. */
  nvRead(
    authHandle: EsysHandle,
    nvIndex: EsysHandle,
    sessions: Sessions,
    sizeBytes: number,
    offsetBytes: number,
  ): Promise<Wire<'TPM2B_MAX_NV_BUFFER'>>;
  /** §31.7. */
  nvWrite(
    authHandle: EsysHandle,
    nvIndex: EsysHandle,
    sessions: Sessions,
    data: Wire<'TPM2B_MAX_NV_BUFFER'>,
    offsetBytes: number,
  ): Promise<void>;
  /** §31.8. */
  nvIncrement(authHandle: EsysHandle, nvIndex: EsysHandle, sessions: Sessions): Promise<void>;
  /** §31.9. */
  nvExtend(authHandle: EsysHandle, nvIndex: EsysHandle, sessions: Sessions, data: Wire<'TPM2B_MAX_NV_BUFFER'>): Promise<void>;
  /** §31.10. @param bits 64 bits, joined to those that are set */
  nvSetBits(authHandle: EsysHandle, nvIndex: EsysHandle, sessions: Sessions, bits: bigint): Promise<void>;
  /** §31.6. */
  nvReadPublic(nvIndex: EsysHandle, sessions: Sessions): Promise<[publicInfo: Wire<'TPM2B_NV_PUBLIC'>, name: Wire<'TPM2B_NAME'>]>;

  /** §24.8. */
  hierarchyChangeAuth(authHandle: EsysHandle, sessions: Sessions, auth: Wire<'TPM2B_AUTH'>): Promise<void>;
  /** §24.3. @param hashAlgorithm TPM_ALG_ID */
  setPrimaryPolicy(
    authHandle: EsysHandle,
    sessions: Sessions,
    policy: Wire<'TPM2B_DIGEST'>,
    hashAlgorithm: number,
  ): Promise<void>;
  /** §24.6. @param authHandle lockout or platform */
  clear(authHandle: EsysHandle, sessions: Sessions): Promise<void>;
  /** §24.7. @param disable 1: Clear is refused from now on */
  clearControl(authHandle: EsysHandle, sessions: Sessions, disable: 0 | 1): Promise<void>;
}

/** The ESYS function without its prefix, and at which argument the list of sessions stands; `null` where it has none. */
const table = {
  startup: ['Startup', null],
  shutdown: ['Shutdown', 0],
  selfTest: ['SelfTest', 0],
  getRandom: ['GetRandom', 0],
  getCapability: ['GetCapability', 0],
  startAuthSession: ['StartAuthSession', 2],
  setSessionAttributes: ['TRSess_SetAttributes', null],
  policySecret: ['PolicySecret', 2],
  policyPcr: ['PolicyPCR', 1],
  policyAuthorize: ['PolicyAuthorize', 1],
  policyAuthorizeNv: ['PolicyAuthorizeNV', 3],
  policyCommandCode: ['PolicyCommandCode', 1],
  policyCpHash: ['PolicyCpHash', 1],
  policyNameHash: ['PolicyNameHash', 1],
  policyNv: ['PolicyNV', 3],
  policyAuthValue: ['PolicyAuthValue', 1],
  policyGetDigest: ['PolicyGetDigest', 1],
  createPrimary: ['CreatePrimary', 1],
  create: ['Create', 1],
  load: ['Load', 1],
  loadExternal: ['LoadExternal', 0],
  readPublic: ['ReadPublic', 1],
  flushContext: ['FlushContext', null],
  evictControl: ['EvictControl', 2],
  handleOf: ['TR_FromTPMPublic', 1],
  setAuth: ['TR_SetAuth', null],
  nameOf: ['TR_GetName', null],
  closeHandle: ['TR_Close', null],
  serializeHandle: ['TR_Serialize', null],
  deserializeHandle: ['TR_Deserialize', null],
  makeCredential: ['MakeCredential', 1],
  activateCredential: ['ActivateCredential', 2],
  unseal: ['Unseal', 1],
  certify: ['Certify', 2],
  quote: ['Quote', 1],
  getTime: ['GetTime', 2],
  readClock: ['ReadClock', 0],
  sign: ['Sign', 1],
  verifySignature: ['VerifySignature', 1],
  pcrExtend: ['PCR_Extend', 1],
  pcrEvent: ['PCR_Event', 1],
  pcrRead: ['PCR_Read', 0],
  pcrReset: ['PCR_Reset', 1],
  pcrAllocate: ['PCR_Allocate', 1],
  nvDefineSpace: ['NV_DefineSpace', 1],
  nvUndefineSpace: ['NV_UndefineSpace', 2],
  nvRead: ['NV_Read', 2],
  nvWrite: ['NV_Write', 2],
  nvIncrement: ['NV_Increment', 2],
  nvExtend: ['NV_Extend', 2],
  nvSetBits: ['NV_SetBits', 2],
  nvReadPublic: ['NV_ReadPublic', 1],
  hierarchyChangeAuth: ['HierarchyChangeAuth', 1],
  setPrimaryPolicy: ['SetPrimaryPolicy', 1],
  clear: ['Clear', 1],
  clearControl: ['ClearControl', 1],
} as const satisfies Record<keyof Commands, readonly [esys: string, sessionsAt: number | null]>;

/** The table over one object of the addon. */
export const bindCommands = (native: NativeEsys): Commands => {
  const bound: Record<string, (...values: readonly unknown[]) => Promise<unknown>> = {};
  for (const [method, [esys, sessionsAt]] of Object.entries(table))
    bound[method] =
      sessionsAt === null
        ? (...values) => call(native, esys, values)
        : (...values) => call(native, esys, values.toSpliced(sessionsAt, 1, ...threeHandles(esys, values[sessionsAt])));
  return bound as unknown as Commands;
};

const call = (native: NativeEsys, esys: string, values: readonly unknown[]): Promise<unknown> => {
  const method = native[esys];
  if (method === undefined) throw new TypeError(`the TPM addon has no ${esys}`);
  return Reflect.apply(method, native, values) as Promise<unknown>;
};

const threeHandles = (esys: string, sessions: unknown): EsysHandle[] => {
  if (!Array.isArray(sessions) || sessions.length > 3) throw new TypeError(`${esys}: a list of at most three sessions wanted`);
  return [0, 1, 2].map((index) => sessions[index] ?? handles.none);
};
