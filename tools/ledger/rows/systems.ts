import type { Section } from '../row.ts';

export const systems: Section = {
  slug: 'systems',
  title: 'Systems',
  about: 'What the toolkit is, or stands at the device’s end of.',
  rows: [
    {
      id: 'systems/enigm-app',
      text: 'The app asks over a local socket for the trust state, for a decision on an action, and to be told of changes; every signal is optional, so it works without Enigm OS.',
      duty: 'device',
      closedBy: [],
      partly: 'The socket and its methods are there and the day calls them; nothing shows an app without any signal.',
    },
    {
      id: 'systems/enigm-os',
      text: 'The agents, in an image that boots in the simulator.',
      duty: 'full',
      closedBy: [
        'sim/qemu/confined.warm.test.ts > are users of their own, with no privilege to be had',
        'sim/qemu/day.machine.test.ts > a day of a machine',
      ],
    },
    {
      id: 'systems/trust-security-center',
      text: 'Posture is measured, summed up in a level, shown on a page, on the command line and as JSON, and reported to administrators under a signature.',
      duty: 'full',
      closedBy: [],
      partly:
        'Findings, level, page, command line and JSON; the level is reported to Command under a signature, the findings are not.',
    },
    {
      id: 'systems/enigm-command',
      text: 'The device fetches policy, obeys lifecycle commands, reports and exports its audit; a reference server assigns, has two people approve, and reviews.',
      duty: 'device',
      closedBy: [],
      partly:
        'The device joins, fetches what two people signed, applies it and says what came of it; no command on its life, no export of the audit log, no review.',
    },
    {
      id: 'systems/enigm-server',
      text: 'Policy on membership and environments is a resource category of decisions; messaging itself is not built here.',
      duty: 'contract',
      closedBy: [],
    },
    {
      id: 'systems/ota-architecture',
      text: 'A release is checked for eligibility, verified, written to the other slot, tried, and committed or rolled back.',
      duty: 'full',
      closedBy: [
        'ota-client/apply/faults-release.test.ts > the plan of a whole update',
        'ota-client/repository/director.test.ts > row 32: signs nothing without a fresh affirming result',
        'agents/hands/updates.test.ts > is installed, armed, tried and committed',
        'agents/hands/updates.test.ts > neither begins nor arms with a statement %s, permit or not (SR-01, SR-03)',
        'agents/hands/updates.test.ts > is given up, and the next start is the old release',
        'agents/update/updater.test.ts > is that it was offered, written, and kept after its trial, each once and by its digest',
        'sim/peers/updates.parts.test.ts > a real image is published, named by the director over HTTPS, and installed in ranges, full and from its base',
        'sim/levels/update-kills.day.test.ts > an update that is killed in its download, write, arm, trial or commit goes on: always a good slot, at most one window again',
        'sim/levels/slots.day.test.ts > a release that is unwell on its trial is given up, and the next start is the one before',
        'sim/cli/day.day.test.ts > ends as it should on a new device, and again on the same one',
        'sim/cli/day.day.test.ts > sabotage %s is refused at its step with its code, and nothing recorded is lost',
      ],
    },
    {
      id: 'systems/hardware-backed-signing',
      text: 'Releases, policy bundles, configuration bundles and other material for devices are verified; a reference signer holds its key in hardware.',
      duty: 'full',
      closedBy: [],
      partly:
        'Releases, policy, configuration and app bundles are verified by custodians and both algorithms; a custodian’s classical key can lie in a PKCS #11 token, and what lies in none can be sealed by the TPM of the custodian’s machine, both shown with ones in software; no hardware of today signs ML-DSA, so that seed is in memory while it signs.',
    },
    {
      id: 'systems/remote-attestation',
      text: 'A quote over a fresh challenge, a boot log that leads to it, the verdict of an independent verifier; the outcome is one input of decisions.',
      duty: 'full',
      closedBy: [
        'hal/contract/tpm.ts > quotes exactly the registers asked for, over exactly the data given',
        'attestation/appraise.test.ts > affirms genuine evidence of a known build, and says what matched',
        'attestation/appraise.test.ts > a verifier refuses',
        'agents/decision/decide.test.ts > is deny without %s, under its category',
        'sim/cli/day.day.test.ts > ends as it should on a new device, and again on the same one',
        'sim/cli/day.day.test.ts > sabotage %s is refused at its step with its code, and nothing recorded is lost',
      ],
    },
    {
      id: 'systems/vpn-network',
      text: 'The device follows a tunnel from start to end, cuts everything else off while it is down, and reports its health; a reference peer speaks WireGuard.',
      duty: 'device',
      closedBy: [],
      partly:
        'Under a policy with a tunnel nothing leaves beside it, shown with packets; no tunnel is started or watched, and no peer speaks WireGuard.',
    },
    {
      id: 'systems/proxy-network',
      text: 'Apps are bound to a proxy path, leaks are tested for, outcomes are recorded; the far end is a stub.',
      duty: 'device',
      closedBy: [],
    },
    {
      id: 'systems/tor-gateway',
      text: 'Apps are bound to a Tor path, leaks are tested for, outcomes are recorded; the far end is a stub.',
      duty: 'device',
      closedBy: [],
    },
    {
      id: 'systems/enigm-esim',
      text: 'A modem profile is a network path with a state; a fake modem stands in for it.',
      duty: 'contract',
      closedBy: [],
    },
    {
      id: 'systems/enigm-key',
      text: 'A dormant beacon in a device of its own, associated with an account, synchronised over serial line or Bluetooth; agents show its state.',
      duty: 'full',
      closedBy: [],
      partly:
        'Dormancy, pairing, alerts, a serial line, and a relay of its own on the device that shows its state; it belongs to no account, and there is no Bluetooth.',
    },
    {
      id: 'systems/payment-privacy',
      text: 'Payments are a resource category, and no audit record links them to an identity.',
      duty: 'contract',
      closedBy: [],
    },
    {
      id: 'systems/threat-intelligence-platform',
      text: 'Telemetry leaves only minimised and with consent.',
      duty: 'device',
      closedBy: [
        'agents/defense/telemetry.test.ts > category, band and model; the message has no field for anything else',
        'agents/defense/telemetry.test.ts > nothing where policy does not approve, or nothing was judged',
        'agents/fleet/reporter.test.ts > has what was judged only where it may leave, and is said again when that changes',
        'sim/cli/day.day.test.ts > ends as it should on a new device, and again on the same one',
      ],
    },
    {
      id: 'systems/enigm-intelligence',
      text: 'Signed outcomes by category come in and bear on decisions.',
      duty: 'device',
      closedBy: [
        'agents/defense/outcomes.test.ts > opens to what the service concluded, and who signed it',
        'agents/defense/outcomes.test.ts > is refused with a signature by a key of another class (SR-03)',
        'agents/defense/intake.test.ts > holds what the service says as a fact until it expires, and not longer',
        'agents/defense/intake.test.ts > lets the worst of our own judgement and of every outcome count',
        'agents/decision/decide.test.ts > is deny with %s',
        'sim/levels/defense.day.test.ts > holds what the intelligence service says, also after its mind was killed, and blocks an app',
      ],
    },
    {
      id: 'systems/enyra',
      text: 'An evaluated outcome is a category, a band of confidence and an expiry, never raw features; a reference evaluator makes them.',
      duty: 'device',
      closedBy: [
        'sim/peers/enyra.test.ts > says category, band, app and expiry, and no more',
        'sim/peers/enyra.test.ts > never says the same sequence twice',
        'agents/defense/outcomes.test.ts > holds from its issue to its expiry, a day at most',
        'sim/levels/defense.day.test.ts > holds what the intelligence service says, also after its mind was killed, and blocks an app',
      ],
    },
    {
      id: 'systems/active-defense',
      text: 'Local signals become a risk score and guidance; plaintext, calls, media and documents are never looked at.',
      duty: 'full',
      closedBy: [],
      partly:
        'Recorded system calls become a category, a score and guidance, in real processes; no machine shows its own calls yet.',
    },
    {
      id: 'systems/device-management',
      text: 'A device lives by a table from enrolment to wipe, under its owner’s administration.',
      duty: 'full',
      closedBy: [],
      partly: 'The whole table with its records; enrolment is asked for, and two administrators suspend and resume.',
    },
    {
      id: 'systems/identity-platform',
      text: 'A signed statement about a person is verified, and is never taken for trust in a device; a reference issuer makes them.',
      duty: 'contract',
      closedBy: [
        'agents/session/statements.test.ts > becomes a fact about a person, or about one session on one device',
        'agents/session/statements.test.ts > is refused when a key of another class signed it (SR-03)',
        'agents/session/statements.test.ts > is refused when it is for somebody else (SR-03)',
        'agents/session/statements.test.ts > expires: %s holds until its last millisecond and not one longer',
        'agents/session/presenter.test.ts > leaves everything as it was when it refuses a statement %s',
        'agents/decision/decide.test.ts > account authentication alone never changes any decision to allow',
        'sim/cli/day.day.test.ts > ends as it should on a new device, and again on the same one',
      ],
    },
  ],
};
