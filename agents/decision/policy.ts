/**
 * The policy of the image, in Cedar.
 *
 * Every fact is optional in the schema, so the validator forces each rule to say `context has …` and absence can only
 * deny. Rules that forbid carry the code that is reported when they do.
 */
import { createHash } from 'node:crypto';

interface Rule {
  readonly id: string;
  /** What a denial by this rule is called. Permits have none. */
  readonly code?: string;
  readonly cedar: string;
}

export const schema = `
entity Actor { assurance?: String };
entity Resource;
action "protected", "personal", "signed";
action "open-secure-messaging", "open-secure-call" in ["protected"] appliesTo { principal: Actor, resource: Resource, context: Facts };
action "apply-bundle", "install-release", "change-lifecycle", "end-trial", "block-app" in ["signed"] appliesTo { principal: Actor, resource: Resource, context: Facts };
action "reboot-device", "start-app", "rotate-key", "revoke-key", "confirm-release", "roll-back-release" in ["personal"] appliesTo { principal: Actor, resource: Resource, context: Facts };
type Facts = {
  session?: { handle: String, state: String, recovery: String, permission: String },
  handle?: { handle: String, epoch: Long },
  osTrust?: { lifecycle: String, areProgramsHealthy: Bool, isTimeKnown: Bool },
  posture?: { level: Long },
  policy?: { digest: String },
  integrity?: { boot: String, release: String, audit: String },
  attestation?: { status: String },
  intelligence?: { category: String },
};
`;

/** Signatures speak for what they are on, never for a person. */
const isPerson = '["single-factor", "multi-factor"].contains(principal.assurance)';

/** In the order in which denials are reported: the order of the categories of the mission. */
export const rules: readonly Rule[] = [
  {
    id: 'protected-actions',
    cedar: `permit (principal, action in Action::"protected", resource == Resource::"messaging") when {
      principal has assurance && ${isPerson} && context has session && context has handle && context has osTrust && context has posture &&
      context has policy && context has integrity && context has attestation && context has intelligence };`,
  },
  {
    id: 'personal-actions',
    cedar: `permit (principal, action in Action::"personal", resource) when {
      principal has assurance && ${isPerson} && context has session && context has handle && context has policy };`,
  },
  {
    id: 'signed-bundles',
    cedar: `permit (principal, action == Action::"apply-bundle", resource == Resource::"policy") when {
      principal has assurance && principal.assurance == "administrator" && context has osTrust && context has policy };`,
  },
  {
    id: 'signed-releases',
    cedar: `permit (principal, action == Action::"install-release", resource == Resource::"device") when {
      principal has assurance && principal.assurance == "administrator" && context has osTrust && context has policy };`,
  },
  {
    id: 'signed-orders',
    cedar: `permit (principal, action == Action::"change-lifecycle", resource == Resource::"device") when {
      principal has assurance && principal.assurance == "administrator" && context has osTrust && context has policy };`,
  },
  {
    id: 'health-gate',
    cedar: `permit (principal, action == Action::"end-trial", resource == Resource::"device") when {
      principal has assurance && principal.assurance == "health-gate" && context has osTrust && context has policy };`,
  },
  {
    id: 'signed-outcomes',
    cedar: `permit (principal, action == Action::"block-app", resource == Resource::"apps") when {
      principal has assurance && principal.assurance == "intelligence-service" && context has osTrust && context has policy };`,
  },
  {
    id: 'session-closed',
    code: 'identity/session-closed',
    cedar: `forbid (principal, action in [Action::"protected", Action::"personal"], resource) when {
      context has session && context.session.state != "open" };`,
  },
  {
    id: 'recovery-pending',
    code: 'identity/recovery-pending',
    cedar: `forbid (principal, action in Action::"protected", resource) when { context has session && context.session.recovery != "none" };`,
  },
  {
    id: 'permission-missing',
    code: 'authorization/permission-missing',
    cedar: `forbid (principal, action in Action::"protected", resource) when {
      context has session && context.session.permission != "granted" };`,
  },
  {
    id: 'device-only',
    code: 'authorization/not-permitted',
    cedar: `forbid (principal, action in [Action::"reboot-device", Action::"confirm-release", Action::"roll-back-release"], resource)
      unless { resource == Resource::"device" };`,
  },
  {
    id: 'apps-only',
    code: 'authorization/not-permitted',
    cedar: `forbid (principal, action == Action::"start-app", resource) unless { resource == Resource::"apps" };`,
  },
  {
    id: 'keys-only',
    code: 'authorization/not-permitted',
    cedar: `forbid (principal, action in [Action::"rotate-key", Action::"revoke-key"], resource) unless { resource == Resource::"keys" };`,
  },
  {
    id: 'device-not-active',
    code: 'posture/lifecycle-state',
    cedar: `forbid (principal, action in Action::"protected", resource) when { context has osTrust && context.osTrust.lifecycle != "active" };`,
  },
  {
    id: 'out-of-service',
    code: 'posture/lifecycle-state',
    cedar: `forbid (principal, action in Action::"signed", resource) when {
      context has osTrust && ["replaced", "revoked", "retired", "wiped"].contains(context.osTrust.lifecycle) };`,
  },
  {
    id: 'time-unknown',
    code: 'posture/time-unknown',
    cedar: `forbid (principal, action in Action::"protected", resource) when { context has osTrust && !context.osTrust.isTimeKnown };`,
  },
  {
    id: 'programs-unhealthy',
    code: 'posture/programs-unhealthy',
    cedar: `forbid (principal, action in Action::"protected", resource) when { context has osTrust && !context.osTrust.areProgramsHealthy };`,
  },
  {
    id: 'level-too-low',
    code: 'posture/level-too-low',
    cedar: `forbid (principal, action in Action::"protected", resource) when { context has posture && context.posture.level < 1 };`,
  },
  {
    id: 'session-of-another-device',
    code: 'handle/session-of-another-device',
    cedar: `forbid (principal, action in [Action::"protected", Action::"personal"], resource) when {
      context has session && context has handle && context.session.handle != context.handle.handle };`,
  },
  {
    id: 'boot-unverified',
    code: 'integrity/boot-unverified',
    cedar: `forbid (principal, action in Action::"protected", resource) when { context has integrity && context.integrity.boot != "verified" };`,
  },
  {
    id: 'release-unverified',
    code: 'integrity/release-unverified',
    cedar: `forbid (principal, action in Action::"protected", resource) when {
      context has integrity && context.integrity.release != "verified" };`,
  },
  {
    id: 'audit-tampered',
    code: 'integrity/audit-tampered',
    cedar: `forbid (principal, action in Action::"protected", resource) when { context has integrity && context.integrity.audit == "tampered" };`,
  },
  {
    id: 'not-affirming',
    code: 'attestation/not-affirming',
    cedar: `forbid (principal, action in Action::"protected", resource) when { context has attestation && context.attestation.status != "affirming" };`,
  },
  {
    id: 'blocked-by-outcome',
    code: 'intelligence/blocked',
    cedar: `forbid (principal, action in Action::"protected", resource) when {
      context has intelligence && !(["none", "low"].contains(context.intelligence.category)) };`,
  },
];

/** SHA-256 over the schema and every rule: which policy a decision was made under. */
export const policyDigest: Uint8Array = createHash('sha256')
  .update(JSON.stringify([schema, rules]))
  .digest();
