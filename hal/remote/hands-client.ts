/** The mind's side of the door: the same ports, over the socket. */

import { encodeMessage } from '#hal/core/message';
import { done, ok, type Result } from '#hal/core/result';
import type { AppHost } from '#hal/ports/app-host';
import type { BootLog } from '#hal/ports/boot-log';
import type { DeviceKeys } from '#hal/ports/device-keys';
import type { Platform } from '#hal/ports/platform';
import type { Signals } from '#hal/ports/signals';
import type { Switches, SwitchName } from '#hal/ports/switches';
import type { Tpm } from '#hal/ports/tpm';
import { type HandsMethods, handsMethods } from '#hal/remote/hands-methods';
import type { Client, Request, UnaryMethod } from '#hal/remote/methods';
import type {
  AppBlock,
  AppManifest,
  AppRequest,
  HandsHello,
  NetworkChange,
  NetworkState,
  Receipt,
  SwitchState,
} from '#protos/gen/types';

export interface RemoteHands {
  readonly hello: () => Promise<Result<HandsHello>>;
  readonly tpm: Tpm;
  readonly keys: DeviceKeys;
  readonly bootLog: BootLog;
  readonly platform: Platform;
  readonly signals: Signals;
  readonly receipt: () => Promise<Result<Receipt>>;
  readonly network: { read(): Promise<Result<NetworkState | undefined>> };
  readonly switches: Pick<Switches, 'read'>;
  readonly apps: Pick<AppHost, 'read'>;
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
}

export interface PermittedCall {
  readonly audience: string;
  readonly arguments: Uint8Array;
  run(permit: Uint8Array): Promise<Result<void>>;
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
    publicKey: (keyClass) => client.call('keys.publicKey', { keyClass }),
    sign: (keyClass, message) => client.call('keys.sign', { keyClass, message }),
    handle: async (relyingParty, epoch) => {
      const answer = await client.call('keys.handle', { relyingParty, epoch });
      return answer.ok ? ok(answer.value.handle) : answer;
    },
  },
  bootLog: {
    read: async () => {
      const answer = await client.call('bootLog.read', {});
      return answer.ok ? ok(answer.value.log) : answer;
    },
  },
  platform: { read: () => client.call('platform.read', {}) },
  signals: {
    take: async () => {
      const answer = await client.call('signals.take', {});
      return answer.ok ? ok(answer.value.windows) : answer;
    },
  },
  receipt: () => client.call('provision.receipt', {}),
  network: {
    read: async () => {
      const answer = await client.call('network.read', {});
      return answer.ok ? ok(answer.value.state) : answer;
    },
  },
  switches: {
    read: async () => {
      const answer = await client.call('switches.read', {});
      return answer.ok ? ok(new Map(answer.value.switches.map(({ name, isOn }) => [name as SwitchName, isOn]))) : answer;
    },
  },
  apps: { read: () => client.call('apps.read', {}) },
  effectors: {
    reboot: (cause) => effector(client, 'power.reboot', { cause }),
    applyNetwork: (change) => effector(client, 'network.apply', change),
    setSwitch: (state) => effector(client, 'switches.set', state),
    allowApps: (manifest) => effector(client, 'apps.allow', manifest),
    blockApp: (block) => effector(client, 'apps.block', block),
    startApp: (request) => effector(client, 'apps.start', request),
  },
});

/** What it answers besides that it was done is read back by its own method. */
const effector = <K extends UnaryMethod<HandsMethods>>(
  client: Client<HandsMethods>,
  method: K,
  request: Request<HandsMethods, K>,
): PermittedCall => ({
  audience: method,
  arguments: encodeMessage(handsMethods[method].request, request as never),
  run: async (permit) => {
    const answer = await client.call(method, request, { permit });
    return answer.ok ? done : answer;
  },
});
