/** The hands' side of everything about the device's own keys. */
import { deny, ok, type Result } from '#hal/core/result';
import { isSuccession } from '#hal/crypto/succession';
import type { DeviceKeys, SigningClass } from '#hal/ports/device-keys';
import type { KeyLedger } from '#hal/ports/key-ledger';
import type { HandsMethods } from '#hal/remote/hands-methods';
import type { Handlers } from '#hal/remote/methods';
import type { KeyClass } from '#protos/gen/types';

export interface KeysPorts {
  readonly keys: DeviceKeys;
  readonly keyLedger: KeyLedger;
}

type KeysMethod = Extract<keyof HandsMethods, `keys.${string}`>;

const nothing = (result: Result<void>): Result<Record<string, never>> => (result.ok ? ok({}) : result);

/**
 * A revocation only takes trust away, and a rotation changes nobody's but the device's own keys: a permit is enough for
 * them. An owned mind that abuses one denies what it could deny anyway.
 */
export const keysHandlers = ({ keys, keyLedger }: KeysPorts): Pick<Handlers<HandsMethods>, KeysMethod> => ({
  'keys.publicKey': async ({ keyClass, epoch }) => {
    const signing = signingClass(keyClass);
    return signing.ok ? keys.publicKey(signing.value, epoch) : signing;
  },
  'keys.sign': async ({ keyClass, message }) => {
    const signing = signingClass(keyClass);
    if (!signing.ok) return signing;
    // Only a rotation names a successor: the mind cannot have one signed that is not the device's.
    if (isSuccession(message)) return deny('authorization', 'not-permitted', 'a succession');
    return keys.sign(signing.value, message);
  },
  'keys.handle': async ({ relyingParty, epoch }) => {
    const handle = await keys.handle(relyingParty, epoch);
    return handle.ok ? ok({ handle: handle.value }) : handle;
  },
  'keys.state': async () => keyLedger.read(),
  'keys.rotate': async (rotation) => nothing(await keyLedger.rotate(rotation)),
  'keys.revoke': async (revocation) => nothing(keyLedger.revoke(revocation)),
});

const signingClass = (keyClass: KeyClass): Result<SigningClass> =>
  keyClass === 'handle' ? deny('protocol', 'field-invalid', 'handles have no key pair') : ok(keyClass);
