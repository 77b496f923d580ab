/**
 * The only way from the network-facing program to the TPM (SR-02): an allow-list of commands for one key.
 *
 * Speaks the framing of tpm2-tss's mssim TCTI over a unix socket, so that the client's own TLS stack can use the key.
 * One connection is one client: what it loaded is its own, nobody else's handle passes, and it is flushed when it leaves.
 * The key behind it is trusted for the TLS link and for nothing else.
 */
import { concat, equalBytes, u16be, u32be } from '#hal/core/bytes';

/** TPM_CC, TPM 2.0 Part 2 §6.5.2: all that tpm2-openssl sends for TLS 1.3 with a client certificate. */
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
/** A TLS stack loads the key for each of its contexts, and lets go of one when its memory is collected. They cost a number. */
export const maxLoads = 4096;

export interface FilterParts {
  /** Sends one raw command to the TPM. */
  readonly transmit: (command: Uint8Array) => Promise<Uint8Array>;
  /** TPM2B_PUBLIC of the one key that may be loaded; undefined while there is none. */
  readonly allowedPublic: () => Uint8Array | undefined;
  /** TPM handle of the parent under which it may be loaded. */
  readonly parentHandle: number;
  /** Takes one token; false when clients sign too often. */
  readonly takeToken: () => boolean;
  /** Room in the TPM for what clients load, shared by all of them. */
  readonly room: Room;
}

export interface Room {
  /** Takes one place; false when there is none. */
  take(): boolean;
  give(): void;
}

export interface FilterClient {
  /** @returns the TPM's response, or a response with the code that says why the command does not pass */
  handle(command: Uint8Array): Promise<Uint8Array>;
  /** Flushes what this client loaded. */
  leave(): Promise<void>;
}

/** The one object that a client has in the TPM, however often it loaded it. */
interface Loaded {
  readonly publicArea: Uint8Array;
  readonly handle: number;
  /** What the TPM answered: to load the same key again has the same answer. */
  readonly response: Uint8Array;
  times: number;
}

/** The decisions, without the socket. */
export const filterClient = ({ transmit, allowedPublic, parentHandle, takeToken, room }: FilterParts): FilterClient => {
  let own: Loaded | undefined;
  let loading: Uint8Array = new Uint8Array();
  const isOwn = (command: Uint8Array): boolean => own !== undefined && own.handle === handleAt(command);

  const refusal = (command: Uint8Array): number | undefined => {
    if (command.length < headerBytes || command.length > maxCommandBytes) return responseCode.commandSize;
    const view = viewOf(command);
    if (view.getUint32(2) !== command.length) return responseCode.commandSize;
    const commandTag = view.getUint16(0);
    switch (view.getUint32(6)) {
      case allowedCommands.load:
        return refusalOfLoad(command, view, commandTag);
      case allowedCommands.sign:
        if (commandTag !== tag.sessions || !hasOnePasswordSession(view)) return responseCode.authMissing;
        if (!isOwn(command)) return responseCode.handle;
        return takeToken() ? undefined : responseCode.retry;
      case allowedCommands.readPublic:
        if (commandTag !== tag.noSessions) return responseCode.authMissing;
        // Of the parent, whose public area says under what the key was wrapped.
        return isOwn(command) || handleAt(command) === parentHandle ? undefined : responseCode.handle;
      case allowedCommands.flushContext:
        if (commandTag !== tag.noSessions) return responseCode.authMissing;
        return isOwn(command) ? undefined : responseCode.handle;
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
    // Parameters: TPM2B_PRIVATE, then the TPM2B_PUBLIC that must be ours to the last byte.
    const parameters = headerBytes + 8 + view.getUint32(headerBytes + 4);
    if (parameters + 2 > command.length) return responseCode.commandSize;
    const publicArea = command.subarray(parameters + 2 + view.getUint16(parameters));
    const allowed = allowedPublic();
    if (allowed === undefined || !equalBytes(publicArea, allowed)) return responseCode.handle;
    loading = allowed;
    const isFree = own === undefined ? room.take() : own.times < maxLoads && equalBytes(own.publicArea, allowed);
    return isFree ? undefined : responseCode.retry;
  };

  /** A key that is loaded is loaded once; the last of its flushes is one. */
  const answered = (command: Uint8Array): Uint8Array | undefined => {
    if (own === undefined) return undefined;
    const code = commandCode(command);
    if (code === allowedCommands.load) {
      own.times += 1;
      return own.response;
    }
    if (code !== allowedCommands.flushContext || own.times === 1) return undefined;
    own.times -= 1;
    return responseOf(0);
  };

  /** What a command that the TPM answered has changed: a load that failed, and a flush that succeeded, give their place back. */
  const settle = (command: Uint8Array, response: Uint8Array): void => {
    const code = commandCode(command);
    const hasSucceeded = response.length >= headerBytes && responseCodeOf(response) === 0;
    if (code === allowedCommands.load) {
      if (hasSucceeded) own = { publicArea: loading, handle: handleAt(response), response, times: 1 };
      else room.give();
    }
    if (code === allowedCommands.flushContext && hasSucceeded) {
      own = undefined;
      room.give();
    }
  };

  return {
    async handle(command) {
      const refused = refusal(command);
      if (refused !== undefined) return responseOf(refused);
      const known = answered(command);
      if (known !== undefined) return known;
      let response = new Uint8Array();
      try {
        response = new Uint8Array(await transmit(command));
      } finally {
        settle(command, response);
      }
      return response;
    },
    async leave() {
      if (own === undefined) return;
      const { handle } = own;
      own = undefined;
      try {
        await transmit(concat(u16be(tag.noSessions), u32be(14), u32be(allowedCommands.flushContext), u32be(handle)));
      } finally {
        room.give();
      }
    },
  };
};

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
const responseCodeOf = (response: Uint8Array): number => viewOf(response).getUint32(6);
/** The first handle after the header; 0, which is nobody's, where there is none. */
const handleAt = (bytes: Uint8Array): number => (bytes.length >= headerBytes + 4 ? viewOf(bytes).getUint32(headerBytes) : 0);

/** TPM_CC of a command; 0, which no command has, where it is too short. */
const commandCode = (command: Uint8Array): number => (command.length >= headerBytes ? viewOf(command).getUint32(6) : 0);

/** @returns the name of a command that may pass, or what else it is */
export const commandName = (command: Uint8Array): keyof typeof allowedCommands | 'other' =>
  names.get(commandCode(command)) ?? 'other';
const names = new Map<number, keyof typeof allowedCommands>(
  Object.entries(allowedCommands).map(([name, code]) => [code, name as keyof typeof allowedCommands]),
);

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
