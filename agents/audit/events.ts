/**
 * The vocabulary of the audit log: which events there are, the category of the mission each belongs to, how long a
 * record is kept whole, and whether it is privileged (anchored at once, room reserved for it; SR-14).
 */
import type { AuditCategory, Retention } from '#protos/gen/types';

interface EventKind {
  readonly category: AuditCategory;
  readonly retention: Retention;
  readonly isPrivileged: boolean;
}

const kind = (category: AuditCategory, retention: Retention = 'routine', isPrivileged = false): EventKind => ({
  category,
  retention,
  isPrivileged,
});

export const auditEvents = {
  'authz.decision': kind('authorization'),
  'authz.identity': kind('authorization'),
  'authz.session': kind('authorization'),
  'authz.start': kind('authorization'),
  'lifecycle.enrolled': kind('lifecycle', 'administrative', true),
  'lifecycle.changed': kind('lifecycle', 'security'),
  'lifecycle.booted': kind('lifecycle', 'security'),
  'posture.level': kind('posture', 'security'),
  'posture.finding': kind('posture'),
  'admin.provisioned': kind('administration', 'administrative', true),
  'admin.reboot': kind('administration', 'administrative', true),
  'admin.lifecycle': kind('administration', 'administrative', true),
  'admin.key': kind('administration', 'administrative', true),
  'admin.bundle': kind('administration', 'administrative', true),
  'net.link': kind('network'),
  'release.offered': kind('release', 'security'),
  'release.written': kind('release', 'security'),
  'release.granted': kind('release', 'administrative', true),
  'release.unlogged': kind('release', 'administrative', true),
  'release.refused': kind('release', 'security'),
  'release.rolled-back': kind('release', 'security'),
  'admin.release': kind('administration', 'administrative', true),
  'release.trial': kind('release', 'security', true),
  'attest.result': kind('release', 'security'),
  'verify.policy': kind('verification', 'security'),
  'verify.result': kind('verification'),
  'verify.statement': kind('verification'),
  'risk.engine': kind('intelligence'),
  'risk.assessment': kind('intelligence', 'security'),
  'risk.outcome': kind('intelligence', 'security'),
  'risk.block': kind('intelligence', 'administrative', true),
  'verify.outcome': kind('verification'),
  'verify.order': kind('verification', 'security'),
  'verify.model': kind('verification', 'security'),
  'audit.gap': kind('verification', 'security'),
} as const satisfies Record<string, EventKind>;

export type AuditEvent = keyof typeof auditEvents;

/** Days that a record is kept whole; after that only its hash stays. Administrative records stay for the device's life. */
export const retentionDays: Readonly<Record<Retention, number>> = {
  routine: 30,
  security: 365,
  administrative: Number.POSITIVE_INFINITY,
};
