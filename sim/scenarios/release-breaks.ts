/** Sabotage of releases: their power, their health, their rollout, their repair. */
import type { Sabotage } from './sabotage.ts';

export const releaseBreaks: Readonly<Record<string, Sabotage>> = {
  power: {
    what: 'the power goes before the trial of a release, and one bit of its slot with it',
    step: 'update',
    code: 'policy/release-failed',
    before: {
      update: ({ fate }) => {
        fate.rotsBeforeTrial = true;
      },
    },
  },
  battery: {
    what: 'the battery is nearly empty, and no charger there, when a release is offered',
    step: 'update',
    code: 'policy/update-gate-closed',
    before: {
      update: ({ fate }) => {
        fate.isEmpty = true;
      },
    },
  },
  health: {
    what: 'the release of the day does not pass the health gate of its trial',
    step: 'update',
    code: 'policy/release-failed',
    before: {
      update: ({ fate }) => {
        fate.isUnhealthy = true;
      },
    },
  },
  bucket: {
    what: 'the release of the day is rolled out to no device',
    step: 'update',
    code: 'policy/target-missing',
    before: {
      update: ({ fate }) => {
        fate.permille = 0;
      },
    },
  },
  log: {
    what: 'the keys that sign releases are stolen: a good release that no log was shown',
    step: 'update',
    code: 'integrity/log-proof-missing',
    before: {
      update: ({ fate, updates }) => {
        fate.isUnlogged = true;
        updates.releases.takeOver('keys');
      },
    },
  },
  repair: {
    what: 'the repair release is signed by one of its two custodians alone',
    step: 'rollout',
    code: 'integrity/signature-missing',
    before: {
      rollout: ({ fate }) => {
        fate.repairSigners = 1;
      },
    },
  },
};
