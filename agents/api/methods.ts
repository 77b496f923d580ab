/**
 * The mind's doors. `api` is for the Enigm App and `enigmctl`; `feed` is the part of it that only reads, for the page.
 * Each method belongs to one of the security domains of the mission.
 */
import type { MethodSpec } from '#hal/remote/methods';

export type SecurityDomain =
  | 'identity-lifecycle'
  | 'communication-security'
  | 'active-defense'
  | 'device-association'
  | 'multi-device-workflows'
  | 'platform-integration';

interface ApiMethod extends MethodSpec {
  readonly domain: SecurityDomain;
}

export const feedMethods = {
  'device.status': { request: 'Nothing', reply: 'DeviceStatus', domain: 'platform-integration' },
  'posture.read': { request: 'Nothing', reply: 'Posture', domain: 'platform-integration' },
  'posture.watch': { request: 'Nothing', reply: 'Posture', isStream: true, domain: 'platform-integration' },
} as const satisfies Record<string, ApiMethod>;

export const apiMethods = {
  ...feedMethods,
  'device.enrol': { request: 'Nothing', reply: 'AttestOutcome', domain: 'device-association' },
  'device.attest': { request: 'AttestRequest', reply: 'AttestOutcome', domain: 'device-association' },
  'device.order': { request: 'OrderRequest', reply: 'OrderReply', domain: 'device-association' },
  'device.reboot': { request: 'RebootRequest', reply: 'Decision', domain: 'platform-integration' },
  'decision.authorize': { request: 'AuthorizeRequest', reply: 'Decision', domain: 'communication-security' },
  'session.present': { request: 'PresentRequest', reply: 'PresentOutcome', domain: 'identity-lifecycle' },
  'handles.list': { request: 'Nothing', reply: 'HandleList', domain: 'multi-device-workflows' },
  'audit.status': { request: 'Nothing', reply: 'AuditStatus', domain: 'platform-integration' },
  'audit.list': { request: 'AuditQuery', reply: 'AuditList', domain: 'platform-integration' },
  'audit.prove': { request: 'AuditProofQuery', reply: 'AuditProof', domain: 'platform-integration' },
  'keys.list': { request: 'Nothing', reply: 'KeyList', domain: 'identity-lifecycle' },
  'keys.rotate': { request: 'KeyClassRequest', reply: 'KeyChange', domain: 'identity-lifecycle' },
  'keys.revoke': { request: 'KeyRevokeRequest', reply: 'KeyChange', domain: 'identity-lifecycle' },
  'apps.start': { request: 'AppRequest', reply: 'Decision', domain: 'platform-integration' },
  'update.status': { request: 'Nothing', reply: 'UpdateReport', domain: 'platform-integration' },
  'update.check': { request: 'Nothing', reply: 'UpdateOffer', domain: 'platform-integration' },
  'update.install': { request: 'UpdateOrder', reply: 'UpdateOutcome', domain: 'platform-integration' },
  'update.carry': { request: 'CarriedTurn', reply: 'CarriedTurnReply', domain: 'platform-integration' },
  'update.confirm': { request: 'Nothing', reply: 'Nothing', domain: 'platform-integration' },
  'update.rollBack': { request: 'Nothing', reply: 'UpdateOutcome', domain: 'platform-integration' },
  'managed.status': { request: 'Nothing', reply: 'ManagedList', domain: 'platform-integration' },
  'managed.update': { request: 'Nothing', reply: 'ManagedList', domain: 'platform-integration' },
  'managed.import': { request: 'CarriedRepository', reply: 'ManagedList', domain: 'platform-integration' },
  'defense.status': { request: 'Nothing', reply: 'DefenseStatus', domain: 'active-defense' },
  'intelligence.present': { request: 'OutcomeRequest', reply: 'OutcomeEntry', domain: 'active-defense' },
} as const satisfies Record<string, ApiMethod>;

export type FeedMethods = typeof feedMethods;
export type ApiMethods = typeof apiMethods;
