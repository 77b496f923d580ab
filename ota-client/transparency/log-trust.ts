/**
 * Which log of releases a device believes, whose witnesses, and what it does with a release that is not in it. It lies
 * where the roots lie: what could be changed from afar would prove nothing.
 */
import { toBase64 } from '#hal/core/bytes';
import { base64, type Decoded, integer, list, object, oneOf, text } from '#hal/core/config';
import { deny, ok, type Result } from '#hal/core/result';
import { type HybridPublicKey, hybridSignatureSuites } from '#hal/crypto/suites';
import type { WitnessKey } from './cosignature.ts';

/** `off`: not looked at. `warn`: installed, and told. `require`: refused. */
export const logPolicies = ['off', 'warn', 'require'] as const;
export type LogPolicy = (typeof logPolicies)[number];

export interface LogTrust {
  readonly policy: LogPolicy;
  readonly origin: string;
  readonly key: HybridPublicKey;
  readonly witnesses: readonly WitnessKey[];
  /** How many different witnesses must have cosigned: at least two. */
  readonly threshold: number;
}

const suite = hybridSignatureSuites['enigm-ed25519-mldsa65'];
export const keyName = text(/^[a-z0-9](?:[a-z0-9./-]{0,94}[a-z0-9])?$/, 'the name of a key: a URL without its scheme');
export const hybridKeyFields = { classical: base64(32), postQuantum: base64(1952) };
const maxWitnesses = 6;

/** As a part of a configuration file. */
export const logTrustFields = object({
  policy: oneOf(...logPolicies),
  origin: keyName,
  ...hybridKeyFields,
  witnesses: list(object({ name: keyName, ...hybridKeyFields }), maxWitnesses),
  threshold: integer(2, maxWitnesses),
});

/** @returns the trust; or `protocol/config-invalid` where one witness could count twice, or the log for one, or there are too few */
export const logTrustOf = (fields: Decoded<typeof logTrustFields>): Result<LogTrust> => {
  const { policy, origin, classical, postQuantum, threshold } = fields;
  const witnesses = fields.witnesses.map(({ name, ...key }) => ({ name, key: { suite, ...key } }));
  const everybody = [{ name: origin, classical, postQuantum }, ...fields.witnesses];
  for (const differing of [
    everybody.map(({ name }) => name),
    everybody.map((one) => toBase64(one.classical)),
    everybody.map((one) => toBase64(one.postQuantum)),
  ])
    if (new Set(differing).size !== differing.length)
      return deny('protocol', 'config-invalid', 'log.witnesses: expected names and keys that differ');
  if (witnesses.length < threshold) return deny('protocol', 'config-invalid', 'log.witnesses: expected as many as the threshold');
  return ok({ policy, origin, key: { suite, classical, postQuantum }, witnesses, threshold });
};

/** What `logTrustFields` reads. */
export const logTrustJson = ({ policy, origin, key, witnesses, threshold }: LogTrust) => ({
  policy,
  origin,
  ...keyJson(key),
  witnesses: witnesses.map((witness) => ({ name: witness.name, ...keyJson(witness.key) })),
  threshold,
});

const keyJson = ({ classical, postQuantum }: HybridPublicKey) => ({
  classical: toBase64(classical),
  postQuantum: toBase64(postQuantum),
});
