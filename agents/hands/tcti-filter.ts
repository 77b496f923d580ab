/**
 * The only way from the network-facing program to the TPM (SR-02): an allow-list of commands for one key.
 *
 * Speaks the framing of tpm2-tss's mssim TCTI over a unix socket, so that the client's own TLS stack can use the key.
 * One connection is one client: the handles it loaded are its own, nobody else's handle passes, all are flushed when it
 * leaves. The key behind it is trusted for the TLS link and for nothing else.
 */
import { concat, equalBytes, u16be, u32be } from '#hal/core/bytes';

/** TPM_CC, TPM 2.0 Part 2 §6.5.2: what a TLS 1.3 client signature with tpm2-openssl sends. */
export const allowedCommands = {
  load: 0x157,
  sign: 0x15d,
  flushContext: 0x165,
  readPublic: 0x173,
  eccParameters: 0x178,
  getCapability: 0x17a,
  hash: 0x17d,
} as const;

/** TPM_RC, Part 2 §6.6. */
const responseCode = {
  retry: 0x922,
  commandSize: 0x142,
  commandCode: 0x143,
  authMissing: 0x125,
  handle: 0x8b,
} as const;
const tag = { noSessions: 0x8001, sessions: 0x8002 } as const;
const passwordSession = 0x40000009;
const headerBytes = 10;
export const maxCommandBytes = 4096;
/** One key needs one object; a TPM without a resource manager has room for three, and the hands need two. */
const maxHandlesPerClient = 1;

export interface FilterParts {
  /** Sends one raw command to the TPM. */
  readonly transmit: (command: Uint8Array) => Promise<Uint8Array>;
  /** TPM2B_PUBLIC of the one key that may be loaded. */
  readonly allowedPublic: Uint8Array;
  /** TPM handle of the parent under which it may be loaded. */
  readonly parentHandle: number;
  /** Takes one token; false when the client signs too often. */
  readonly takeToken: () => boolean;
}

export interface FilterClient {
  /** @returns the TPM's response, or a response with the code that says why the command does not pass */
  handle(command: Uint8Array): Promise<Uint8Array>;
  /** Flushes what this client loaded. */
  leave(): Promise<void>;
}

/** The decisions, without the socket. */
export const filterClient = ({ transmit, allowedPublic, parentHandle, takeToken }: FilterParts): FilterClient => {
  const own = new Set<number>();

  const refusal = (command: Uint8Array): number | undefined => {
    if (command.length < headerBytes || command.length > maxCommandBytes) return responseCode.commandSize;
    const view = new DataView(command.buffer, command.byteOffset, command.length);
    if (view.getUint32(2) !== command.length) return responseCode.commandSize;
    const commandTag = view.getUint16(0);
    const handleAt = (): number | undefined => (command.length >= headerBytes + 4 ? view.getUint32(headerBytes) : undefined);
    switch (view.getUint32(6)) {
      case allowedCommands.load:
        return refusalOfLoad(command, view, commandTag);
      case allowedCommands.sign:
        if (commandTag !== tag.sessions || !hasOnePasswordSession(view)) return responseCode.authMissing;
        if (!own.has(handleAt() ?? 0)) return responseCode.handle;
        return takeToken() ? undefined : responseCode.retry;
      case allowedCommands.readPublic:
      case allowedCommands.flushContext:
        if (commandTag !== tag.noSessions) return responseCode.authMissing;
        return own.has(handleAt() ?? 0) ? undefined : responseCode.handle;
      case allowedCommands.eccParameters:
      case allowedCommands.getCapability:
      case allowedCommands.hash:
        return commandTag === tag.noSessions ? undefined : responseCode.authMissing;
      default:
        return responseCode.commandCode;
    }
  };

  const refusalOfLoad = (command: Uint8Array, view: DataView, commandTag: number): number | undefined => {
    if (commandTag !== tag.sessions || command.length < headerBytes + 8 || !hasOnePasswordSession(view))
      return responseCode.authMissing;
    if (view.getUint32(headerBytes) !== parentHandle) return responseCode.handle;
    if (own.size >= maxHandlesPerClient) return responseCode.retry;
    // Parameters: TPM2B_PRIVATE, then the TPM2B_PUBLIC that must be ours to the last byte.
    const parameters = headerBytes + 8 + view.getUint32(headerBytes + 4);
    if (parameters + 2 > command.length) return responseCode.commandSize;
    const publicArea = command.subarray(parameters + 2 + view.getUint16(parameters));
    return equalBytes(publicArea, allowedPublic) ? undefined : responseCode.handle;
  };

  const remember = (command: Uint8Array, response: Uint8Array): void => {
    if (response.length < headerBytes + 4) return;
    const view = new DataView(response.buffer, response.byteOffset, response.length);
    if (view.getUint32(6) === 0 && commandCode(command) === allowedCommands.load) own.add(view.getUint32(headerBytes));
  };

  return {
    async handle(command) {
      const refused = refusal(command);
      if (refused !== undefined) return responseOf(refused);
      const response = await transmit(command);
      remember(command, response);
      if (commandCode(command) === allowedCommands.flushContext)
        own.delete(new DataView(command.buffer, command.byteOffset, command.length).getUint32(headerBytes));
      return response;
    },
    async leave() {
      for (const handle of own)
        await transmit(concat(u16be(tag.noSessions), u32be(14), u32be(allowedCommands.flushContext), u32be(handle)));
      own.clear();
    },
  };
};

const commandCode = (command: Uint8Array): number =>
  new DataView(command.buffer, command.byteOffset, command.length).getUint32(6);

const responseOf = (code: number): Uint8Array => concat(u16be(tag.noSessions), u32be(headerBytes), u32be(code));

/** Authorization area after one handle: exactly one password session with an empty auth value (Part 1 §18.4). */
const hasOnePasswordSession = (view: DataView): boolean => {
  const area = headerBytes + 4;
  const areaBytes = 9;
  return (
    view.byteLength >= area + 4 + areaBytes &&
    view.getUint32(area) === areaBytes &&
    view.getUint32(area + 4) === passwordSession &&
    view.getUint16(area + 8) === 0 &&
    view.getUint16(area + 11) === 0
  );
};
