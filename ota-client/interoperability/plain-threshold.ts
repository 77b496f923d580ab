/**
 * The signature rule of plain TUF 1.0: threshold different keys, of whatever kind (§4.3). It exists to be compared with
 * other clients. No program of a device reaches this folder; a test holds that.
 */
import { toHex } from '#hal/core/bytes';
import { deny, done } from '#hal/core/result';
import type { SignatureRule } from '#ota-client/trust/rule';

export const plainThreshold: SignatureRule = {
  checkRoot: () => done,
  /** Keys count by their bytes: one key under two ids is one key. */
  checkSignatures(crypto, { role, roleKeys, keys }, { canonical, signatures }) {
    const signers = new Set<string>();
    let notUnderstood = 0;
    for (const id of roleKeys.keyids) {
      const key = keys.get(id);
      const signature = signatures.get(id);
      if (key === undefined || signature === undefined) continue;
      if (typeof key === 'string') notUnderstood += 1;
      else if (key.scheme.verify(crypto, key.publicKey, canonical, signature)) signers.add(toHex(key.publicKey));
    }
    if (signers.size >= roleKeys.threshold) return done;
    const missing = `${role}: ${signers.size} of ${roleKeys.threshold}`;
    return deny('integrity', 'custodians-missing', notUnderstood === 0 ? missing : `${missing}, ${notUnderstood} not understood`);
  },
};
