/** The mind's side of the door: the same ports, over the socket. */

import { encodeMessage } from '#hal/core/message';
import { done, ok, type Result } from '#hal/core/result';
import type { BootLog } from '#hal/ports/boot-log';
import type { DeviceKeys } from '#hal/ports/device-keys';
import type { Platform } from '#hal/ports/platform';
import type { Tpm } from '#hal/ports/tpm';
import type { HandsMethods } from '#hal/remote/hands-methods';
import type { Client } from '#hal/remote/methods';
import type { HandsHello, Receipt } from '#protos/gen/types';

export interface RemoteHands {
  readonly hello: () => Promise<Result<HandsHello>>;
  readonly tpm: Tpm;
  readonly keys: DeviceKeys;
  readonly bootLog: BootLog;
  readonly platform: Platform;
  readonly receipt: () => Promise<Result<Receipt>>;
  /** The effector: the exact request bytes that a permit must name, and the call with it. */
  readonly reboot: (cause: string) => PermittedCall;
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
  receipt: () => client.call('provision.receipt', {}),
  reboot: (cause) => ({
    audience: 'power.reboot',
    arguments: encodeMessage('RebootRequest', { cause }),
    run: async (permit) => {
      const answer = await client.call('power.reboot', { cause }, { permit });
      return answer.ok ? done : answer;
    },
  }),
});
