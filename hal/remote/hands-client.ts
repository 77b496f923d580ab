/** The mind's side of the door: the same ports, over the socket. */

import { encodeMessage } from '#hal/core/message';
import { releaseMemory } from '#hal/core/release-memory';
import { done, ok, type Result } from '#hal/core/result';
import type { AppHost } from '#hal/ports/app-host';
import type { BootLog } from '#hal/ports/boot-log';
import type { DeviceKeys } from '#hal/ports/device-keys';
import type { Platform } from '#hal/ports/platform';
import type { Signals } from '#hal/ports/signals';
import type { Supply } from '#hal/ports/supply';
import type { Switches } from '#hal/ports/switches';
import type { Tpm } from '#hal/ports/tpm';
import type { HealthReading, TakenRun, WriteProgress } from '#hal/ports/updater';
import { type HandsMethods, handsMethods } from '#hal/remote/hands-methods';
import type { Client, Reply, Request, UnaryMethod } from '#hal/remote/methods';
import { switchStates } from '#hal/remote/switches-door';
import type {
  AppBlock,
  AppManifest,
  AppRequest,
  HandsHello,
  KeyRevocation,
  KeyRotation,
  KeysState,
  NetworkChange,
  NetworkPolicy,
  NetworkState,
  Receipt,
  SlotsStatus,
  SwitchState,
  UpdateBegin,
  UpdateBegun,
} from '#protos/gen/types';

export interface RemoteHands {
  readonly hello: () => Promise<Result<HandsHello>>;
  readonly tpm: Tpm;
  readonly keys: DeviceKeys;
  /** Epochs of the device's own keys, and what was revoked. */
  readonly keysState: () => Promise<Result<KeysState>>;
  readonly bootLog: BootLog;
  readonly platform: Platform;
  readonly signals: Signals;
  readonly supply: Supply;
  readonly receipt: () => Promise<Result<Receipt>>;
  readonly network: {
    /** What must be read back once the policy is in force. */
    expected(policy: NetworkPolicy): Promise<Result<Uint8Array>>;
    read(): Promise<Result<NetworkState | undefined>>;
  };
  readonly switches: Pick<Switches, 'read'>;
  readonly apps: Pick<AppHost, 'read'>;
  readonly updates: RemoteUpdates;
  /** Effectors: the exact request bytes that a permit must name, and the call with it. */
  readonly effectors: Effectors;
}

export interface Effectors {
  readonly reboot: (cause: string) => PermittedCall;
  readonly applyNetwork: (change: NetworkChange) => PermittedCall;
  readonly setSwitch: (state: SwitchState) => PermittedCall;
  readonly allowApps: (manifest: AppManifest) => PermittedCall;
  readonly blockApp: (block: AppBlock) => PermittedCall;
  readonly startApp: (request: AppRequest) => PermittedCall;
  readonly rotateKey: (rotation: KeyRotation) => PermittedCall;
  readonly revokeKey: (revocation: KeyRevocation) => PermittedCall;
  readonly beginUpdate: (order: UpdateBegin) => PermittedCall<UpdateBegun>;
  /** Answers with a slug: `trial` or `fallback`. @param statement the original signed envelope */
  readonly armUpdate: (statement: Uint8Array) => PermittedCall<string>;
  readonly commitUpdate: () => PermittedCall;
  /** @param digest of the statement of the release in the other slot */
  readonly rollBack: (digest: Uint8Array) => PermittedCall;
  readonly giveUpTrial: (reason: string) => PermittedCall;
  /** @param digest of the statement of the release that runs committed */
  readonly raiseFloor: (digest: Uint8Array) => PermittedCall;
}

/** Of an update what needs no permit: it reads, or goes on with what was begun under one. */
export interface RemoteUpdates {
  write(owner: string, segment: number, bytes: Uint8Array): Promise<Result<void>>;
  /** @returns how many of them the hands made and wrote */
  take(owner: string, segment: number, wanted: TakenRun): Promise<Result<number>>;
  flush(owner: string): Promise<Result<WriteProgress>>;
  finish(owner: string): Promise<Result<void>>;
  abandon(owner: string): Promise<Result<void>>;
  status(): Promise<Result<SlotsStatus>>;
  /** @param into as in `BlockDevice.read` */
  readRunning(offset: number, lengthBytes: number, into?: Uint8Array): Promise<Result<Uint8Array>>;
  health(): Promise<Result<readonly HealthReading[]>>;
}

export interface PermittedCall<T = void> {
  readonly audience: string;
  readonly arguments: Uint8Array;
  run(permit: Uint8Array): Promise<Result<T>>;
}

export const remoteHands = (client: Client<HandsMethods>): RemoteHands => ({
  hello: () => client.call('hands.hello', {}),
  tpm: {
    identity: () => client.call('tpm.identity', {}),
    activate: async (challenge) => {
      const answer = await client.call('tpm.activate', challenge);
      return answer.ok ? ok(answer.value.secret) : answer;
    },
    quote: (qualifyingData, pcrs) => client.call('tpm.quote', { qualifyingData, pcrs }),
    readCounter: () => client.call('tpm.readCounter', {}),
    advanceCounter: () => client.call('tpm.advanceCounter', {}),
  },
  keys: {
    publicKey: (keyClass, epoch) => client.call('keys.publicKey', epoch === undefined ? { keyClass } : { keyClass, epoch }),
    sign: (keyClass, message) => client.call('keys.sign', { keyClass, message }),
    handle: async (relyingParty, epoch) => {
      const answer = await client.call('keys.handle', { relyingParty, epoch });
      return answer.ok ? ok(answer.value.handle) : answer;
    },
  },
  keysState: () => client.call('keys.state', {}),
  bootLog: {
    read: async () => {
      const answer = await client.call('bootLog.read', {});
      return answer.ok ? ok(answer.value.log) : answer;
    },
  },
  platform: { read: () => client.call('platform.read', {}) },
  supply: { read: () => client.call('supply.read', {}) },
  signals: {
    take: async () => {
      const answer = await client.call('signals.take', {});
      return answer.ok ? ok(answer.value.windows) : answer;
    },
  },
  receipt: () => client.call('provision.receipt', {}),
  network: {
    expected: async (policy) => {
      const answer = await client.call('network.expected', policy);
      return answer.ok ? ok(answer.value.digest) : answer;
    },
    read: async () => {
      const answer = await client.call('network.read', {});
      return answer.ok ? ok(answer.value.state) : answer;
    },
  },
  switches: { read: async () => switchStates(await client.call('switches.read', {})) },
  apps: { read: () => client.call('apps.read', {}) },
  updates: remoteUpdates(client),
  effectors: {
    reboot: (cause) => effector(client, 'power.reboot', { cause }),
    applyNetwork: (change) => effector(client, 'network.apply', change),
    setSwitch: (state) => effector(client, 'switches.set', state),
    allowApps: (manifest) => effector(client, 'apps.allow', manifest),
    blockApp: (block) => effector(client, 'apps.block', block),
    startApp: (request) => effector(client, 'apps.start', request),
    rotateKey: (rotation) => effector(client, 'keys.rotate', rotation),
    revokeKey: (revocation) => effector(client, 'keys.revoke', revocation),
    beginUpdate: (order) => answering(client, 'update.begin', order, (begun) => begun),
    armUpdate: (statement) => answering(client, 'update.arm', { statement }, ({ outcome }) => outcome),
    commitUpdate: () => effector(client, 'update.commit', {}),
    rollBack: (digest) => effector(client, 'update.rollBack', { digest }),
    giveUpTrial: (reason) => effector(client, 'update.giveUp', { reason }),
    raiseFloor: (digest) => effector(client, 'update.raiseFloor', { digest }),
  },
});

const remoteUpdates = (client: Client<HandsMethods>): RemoteUpdates => ({
  write: async (owner, segment, bytes) => nothing(await client.call('update.write', { owner, segment, bytes })),
  take: async (owner, segment, wanted) => {
    const answer = await client.call('update.take', { owner, segment, ...wanted });
    return answer.ok ? ok(answer.value.count) : answer;
  },
  flush: (owner) => client.call('update.flush', { owner }),
  finish: async (owner) => nothing(await client.call('update.finish', { owner })),
  abandon: async (owner) => nothing(await client.call('update.abandon', { owner })),
  status: () => client.call('update.status', {}),
  readRunning: async (offset, lengthBytes, into) => {
    const answer = await client.call('update.readRunning', { offset, lengthBytes });
    if (!answer.ok) return answer;
    const { bytes } = answer.value;
    if (into === undefined || bytes.length !== lengthBytes) return ok(bytes);
    into.set(bytes);
    releaseMemory(bytes);
    return ok(into.subarray(0, lengthBytes));
  },
  health: async () => {
    const answer = await client.call('update.health', {});
    return answer.ok ? ok(answer.value.readings) : answer;
  },
});

const nothing = (answer: Result<unknown>): Result<void> => (answer.ok ? done : answer);

/** What it answers besides that it was done is read back by its own method. */
const effector = <K extends UnaryMethod<HandsMethods>>(
  client: Client<HandsMethods>,
  method: K,
  request: Request<HandsMethods, K>,
): PermittedCall => answering(client, method, request, () => undefined);

const answering = <K extends UnaryMethod<HandsMethods>, T>(
  client: Client<HandsMethods>,
  method: K,
  request: Request<HandsMethods, K>,
  read: (reply: Reply<HandsMethods, K>) => T,
): PermittedCall<T> => ({
  audience: method,
  arguments: encodeMessage(handsMethods[method].request, request as never),
  run: async (permit) => {
    const answer = await client.call(method, request, { permit });
    return answer.ok ? ok(read(answer.value)) : answer;
  },
});
