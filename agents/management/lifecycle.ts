/**
 * The life of a device, as a table. `replaced`, `revoked` and `retired` end in `wiped`; `wiped` is the end. Each change
 * of state is an audit record; the emergency path asks none of this (SR-11).
 */
import type { Table } from '#hal/core/table';

export type Lifecycle = 'unenrolled' | 'enrolling' | 'active' | 'suspended' | 'replaced' | 'revoked' | 'retired' | 'wiped';
export type LifecycleEvent = 'enrol' | 'enrolled' | 'refused' | 'suspend' | 'resume' | 'replace' | 'revoke' | 'retire' | 'wipe';
export type LifecycleAction = 'forget-enrolment';

export const lifecycle: Table<Lifecycle, LifecycleEvent, LifecycleAction> = {
  unenrolled: { enrol: ['enrolling'], wipe: ['wiped', 'forget-enrolment'] },
  enrolling: {
    enrol: ['enrolling'],
    enrolled: ['active'],
    refused: ['unenrolled', 'forget-enrolment'],
    wipe: ['wiped', 'forget-enrolment'],
  },
  active: {
    // Once more, by a verifier that had forgotten the device (SR-17).
    enrolled: ['active'],
    suspend: ['suspended'],
    replace: ['replaced'],
    revoke: ['revoked'],
    retire: ['retired'],
    wipe: ['wiped', 'forget-enrolment'],
  },
  suspended: {
    resume: ['active'],
    replace: ['replaced'],
    revoke: ['revoked'],
    retire: ['retired'],
    wipe: ['wiped', 'forget-enrolment'],
  },
  replaced: { wipe: ['wiped', 'forget-enrolment'] },
  revoked: { wipe: ['wiped', 'forget-enrolment'] },
  retired: { wipe: ['wiped', 'forget-enrolment'] },
  wiped: {},
};
