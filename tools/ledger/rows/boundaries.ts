import type { Section } from '../row.ts';

export const boundaries: Section = {
  slug: 'boundaries',
  title: 'Boundaries and threats',
  about: 'Six domains, the boundaries between their parts, and the ways to attack them: each has a suite that attacks.',
  rows: [
    {
      id: 'boundaries/app',
      text: 'The app’s domain: it is told facts and decisions, and can grant itself nothing.',
      duty: 'rule',
      closedBy: [],
      partly:
        'Its door answers a closed table of methods, statements that do not verify change nothing, and another user reaches no socket; an app with the user of the programs reaches theirs.',
    },
    {
      id: 'boundaries/device',
      text: 'The device’s domain: hands, mind and mouth are apart, and a compromise of one stops at the next.',
      duty: 'rule',
      closedBy: [],
      partly:
        'The mouth gets nothing from the TPM but its own signatures, and an exploit in each program reads and starts nothing foreign; users and system calls are not confined.',
    },
    {
      id: 'boundaries/network',
      text: 'The network’s domain: whoever carries bytes can delay and drop, not read or change.',
      duty: 'rule',
      closedBy: [],
      partly:
        'Evidence, metadata and bundles that are changed, stripped or replayed on the way are refused, and TLS is pinned; the sealing of fleet messages has no test of its own.',
    },
    {
      id: 'boundaries/intelligence',
      text: 'The intelligence domain: outcomes by category come in signed, raw signals do not go out.',
      duty: 'rule',
      closedBy: [
        'agents/defense/outcomes.test.ts > is refused with a signature by a key of another class (SR-03)',
        'agents/defense/outcomes.test.ts > is refused where one of its two algorithms did not sign',
        'agents/defense/telemetry.test.ts > category, band and model; the message has no field for anything else',
        'agents/defense/telemetry.test.ts > nothing where policy does not approve, or nothing was judged',
        'sim/machine/syscalls.prop.test.ts > finds every call between any noise, and no word of an argument',
      ],
    },
    {
      id: 'boundaries/administrative',
      text: 'The administrative domain: policy and lifecycle by quorum, never content.',
      duty: 'rule',
      closedBy: [],
      partly:
        'A policy by one person is refused, and no message can carry content; there are no commands on the life of a device.',
    },
    {
      id: 'boundaries/release',
      text: 'The release domain: nothing runs that its custodians did not sign.',
      duty: 'rule',
      closedBy: [],
      partly:
        'Metadata and releases without their custodians are refused by the trust core; no device installs one, and its boot does not ask for it.',
    },
    {
      id: 'boundaries/user-enigm',
      text: 'Between a user and Enigm: the person is authenticated, and what they see is what was measured.',
      duty: 'rule',
      closedBy: [
        'agents/session/statements.test.ts > becomes a fact about a person, or about one session on one device',
        'agents/session/statements.test.ts > is refused when a key of another class signed it (SR-03)',
        'agents/session/presenter.test.ts > gives an actor and a session of two people no session',
        'agents/page/doorway.test.ts > takes a token once, for a cookie that no script and no other site gets',
        'agents/page/doorway.test.ts > refuses any other token, and keeps the present one',
        'agents/page/server.test.ts > says nothing about the device without a session',
        'agents/page/server.test.ts > refuses requests that another site or another port of this machine made',
        'agents/programs/paged.parts.test.ts > writes its link for its owner alone, and never logs it',
        'agents/page/reading.test.ts > never makes anything better: a level that the device did not reach stays out of reach',
        'agents/page/board.test.ts > does not take the same measurement for a newer one',
        'agents/page/feed.test.ts > shows what comes, and says honestly that it is down when nothing does',
      ],
    },
    {
      id: 'boundaries/enigm-identity-platform',
      text: 'Between Enigm and the identity platform: statements are verified, bound to this audience, and expire.',
      duty: 'rule',
      closedBy: [
        'agents/session/statements.test.ts > is refused when a key of another class signed it (SR-03)',
        'agents/session/statements.test.ts > is refused when it is for somebody else (SR-03)',
        'agents/session/statements.test.ts > is refused as another kind than the one that was signed',
        'agents/session/statements.test.ts > is refused when its own service signed the message of the other kind under its type',
        'agents/session/statements.test.ts > expires: %s holds until its last millisecond and not one longer',
        'agents/session/statements.test.ts > lives a day at most, whatever it says',
        'agents/session/statements.prop.test.ts > a statement with one bit changed is refused',
        'agents/session/statements.prop.test.ts > any bytes under any type are refused with a reason, and never throw',
        'agents/session/presenter.test.ts > refuses an older statement about a session, and the same one again',
      ],
    },
    {
      id: 'boundaries/enigm-device-management',
      text: 'Between Enigm and device management: commands are signed, aimed at this device, and count up.',
      duty: 'rule',
      closedBy: [],
      partly:
        'Messages to a device are sealed to it and signed for its label; announcements are all they carry, and they do not count up.',
    },
    {
      id: 'boundaries/enigm-os-posture',
      text: 'Between Enigm and the posture of the OS: what the OS says of itself counts fresh and verified, or not at all.',
      duty: 'rule',
      closedBy: [],
      partly: 'The gate of decisions and the page’s feed; what is measured can be forged by a mind that is taken over.',
    },
    {
      id: 'boundaries/enigm-network-components',
      text: 'Between Enigm and network components: they are told paths and policies, not who talks to whom.',
      duty: 'rule',
      closedBy: [],
      partly: 'A broker knows clients by random labels; what the others are told is not tested.',
    },
    {
      id: 'boundaries/enigm-intelligence-outcomes',
      text: 'Between Enigm and intelligence outcomes: a forged, old or replayed outcome changes nothing.',
      duty: 'rule',
      closedBy: [
        'agents/defense/intake.test.ts > does nothing with an outcome that is %s, and records it',
        'agents/defense/intake.test.ts > takes nothing a second time and nothing older, also after a restart',
        'agents/defense/outcomes.test.ts > is refused where one of its two algorithms did not sign',
        'agents/defense/outcomes.test.ts > is refused where it is for somebody else, or a statement of another kind',
        'agents/defense/outcomes.test.ts > is for every device, or for the one that it names',
      ],
    },
    {
      id: 'boundaries/command-administrative-policy',
      text: 'Between Command and administrative policy: who signs policy is not who distributes it.',
      duty: 'rule',
      closedBy: [
        'ota-client/trust/custodians.test.ts > refuses fewer custodians than its threshold, and signatures of strangers',
        'ota-client/trust/bundle.test.ts > a class cannot publish what belongs to another, nor the top-level targets what belongs to a class',
        'ota-client/repository/publisher.test.ts > is signed by the keepers of its class, published by those of snapshot and timestamp',
        'sim/cli/day.day.test.ts > ends as it should on a new device, and again on the same one',
        'sim/cli/day.day.test.ts > sabotage %s is refused at its step with its code, and nothing recorded is lost',
      ],
    },
    {
      id: 'boundaries/ota-device-verification',
      text: 'Between OTA and verification on the device: the device trusts signatures, not where bytes came from.',
      duty: 'rule',
      closedBy: [],
      partly:
        'Whatever a mirror serves is judged by signatures, in the trust core and for bundles in the day; no device fetches a release.',
    },
    {
      id: 'boundaries/account-identity',
      text: 'Account identity: a taken account is not a taken device.',
      duty: 'rule',
      closedBy: [
        'agents/decision/decide.test.ts > account authentication alone never changes any decision to allow',
        'agents/session/presenter.test.ts > refuses a session of another device, and holds it so that decisions name why',
        'agents/session/presenter.test.ts > gives an actor and a session of two people no session',
        'agents/session/statements.test.ts > is refused when its own service signed the message of the other kind under its type',
        'agents/decision/decide.test.ts > is deny with %s',
        'sim/cli/day.day.test.ts > ends as it should on a new device, and again on the same one',
        'sim/cli/day.day.test.ts > sabotage %s is refused at its step with its code, and nothing recorded is lost',
      ],
    },
    {
      id: 'boundaries/device-association',
      text: 'Device association: only a device that proves its TPM joins an account.',
      duty: 'rule',
      closedBy: [],
      partly:
        'A verifier under attack enrols and attests only what proves its TPM; the account service of the simulator takes a handle on its word.',
    },
    {
      id: 'boundaries/messaging-and-calls',
      text: 'Messaging and calls: agents decide on them and never see them.',
      duty: 'rule',
      closedBy: [
        'tools/build/schema.test.ts > every text and bytes field is of a kind in the closed list, and the list has no free text',
        'tools/build/schema.test.ts > no field is named after content',
        'protos/edge.test.ts > refuses a field that is missing, of another kind, or too many',
        'agents/decision/decide.test.ts > is allow when all eleven inputs are established and good',
        'agents/mind/authorizer.test.ts > writes no word of an app that this device does not decide on',
        'agents/api/canary.test.ts > are in no line of a local log',
        'agents/api/canary.test.ts > leave records of nothing but the closed vocabulary',
      ],
    },
    {
      id: 'boundaries/active-defense-findings',
      text: 'Active Defense findings: a category, a band and a model’s digest leave, nothing else.',
      duty: 'rule',
      closedBy: [
        'agents/defense/telemetry.test.ts > category, band and model; the message has no field for anything else',
        'agents/defense/telemetry.test.ts > two judgements that differ in anything else are the same bytes',
        'agents/defense/telemetry.test.ts > nothing where policy does not approve, or nothing was judged',
      ],
    },
    {
      id: 'boundaries/key-workflows',
      text: 'Key workflows: the Key answers a paired device only, and alerts without one.',
      duty: 'rule',
      closedBy: [
        'firmware-key/runtime/secure-side.test.ts > answers nothing out of turn, of another kind, or outside of pairing',
        'firmware-key/runtime/secure-side.test.ts > every try counts before it is answered; the waits grow, and the fifth burns the card',
        'firmware-key/runtime/secure-side.test.ts > a stranger, another boot and another transport are not answered',
        'firmware-key/runtime/secure-side.test.ts > a host that was never paired has nothing to begin with',
        'firmware-key/host/key-host.test.ts > a Key that is not paired is said to be so; a wrong card gets no answer',
        'firmware-key/host/key-host.test.ts > an alert reaches contacts without a session, waits for a far end that is away, and ends',
      ],
    },
    {
      id: 'boundaries/threat-account-and-app',
      text: 'Attack: the account or the app is taken over.',
      duty: 'rule',
      closedBy: [],
      partly:
        'Sign-in alone, sessions that are copied, closed, older or forged, a recovery and a flood are refused; an app with the user of the programs is not held back.',
    },
    {
      id: 'boundaries/threat-device-lifecycle',
      text: 'Attack: enrolment, suspension, replacement or wipe is abused.',
      duty: 'rule',
      closedBy: [],
      partly:
        'A TPM that was put back is noticed, a revoked one does not come back, and no event outside the table counts; suspension, replacement and wipe cannot be asked for.',
    },
    {
      id: 'boundaries/threat-os-policy-bypass',
      text: 'Attack: an action goes round the policy of the OS.',
      duty: 'rule',
      closedBy: [],
      partly:
        'Permits cannot be forged, changed, replayed or kept, every effector needs one, and no other user is let in; a program with the user of the mind can ask for the key of permits.',
    },
    {
      id: 'boundaries/threat-network-policy-misuse',
      text: 'Attack: network policy is evaded, or turned against the user.',
      duty: 'rule',
      closedBy: [],
      partly:
        'Kill switch, tunnel and lists hold against packets of root too, a table that was changed is noticed, foreign ones stay; nothing keeps a policy from shutting its user out.',
    },
    {
      id: 'boundaries/threat-intelligence-manipulation',
      text: 'Attack: models, baselines or outcomes are poisoned.',
      duty: 'rule',
      closedBy: [
        'sim/machine/syscalls-train.test.ts > that somebody recorded while %s ran is refused',
        'sim/machine/syscalls-train.test.ts > gains nothing by ordinary calls before and after: %s',
        'agents/defense/models.test.ts > refuses a downgrade, also after a restart: to below what was taken, and to below the image',
        'agents/defense/models.test.ts > refuses another content of the same version, and takes the same again',
        'agents/defense/model.test.ts > is refused with %s',
        'agents/defense/judge.test.ts > learns nothing from what it sees: the thousandth attack is scored like the first',
        'agents/defense/defense.test.ts > lets no engine make a device look better or worse',
        'agents/defense/intake.test.ts > does nothing with an outcome that is %s, and records it',
        'agents/defense/intake.test.ts > takes nothing a second time and nothing older, also after a restart',
      ],
    },
    {
      id: 'boundaries/threat-ota-integrity',
      text: 'Attack: a release is forged, withheld, mixed or rolled back.',
      duty: 'rule',
      closedBy: [],
      partly:
        'What is forged, withheld, mixed or rolled back is refused by the trust core, and as a bundle in the day; no device installs a release.',
    },
    {
      id: 'boundaries/threat-command-abuse',
      text: 'Attack: an administrator, or who took their place, misuses Command.',
      duty: 'rule',
      closedBy: [],
      partly:
        'One approver alone, a publisher that was taken over, and a broker that drops everything gain nothing; a policy that two people signed is not held against anything.',
    },
    {
      id: 'boundaries/threat-audit-visibility',
      text: 'Attack: the audit log is cut, rewritten, put back, flooded or starved.',
      duty: 'rule',
      closedBy: [
        'agents/audit/log.test.ts > is tampered when %s, says so, and does not stop',
        'agents/audit/log.test.ts > is degraded while the hands are down, and intact again when they are back',
        'agents/audit/log.test.ts > keeps room for privileged records when it is full',
        'agents/audit/log.test.ts > lets no source flood it, leaves a gap record, and never holds privileged records back',
        'agents/audit/merkle.test.ts > proves that an older tree is a prefix, and refuses a rewritten one',
        'agents/decision/decide.test.ts > is deny with %s',
        'sim/cli/day.day.test.ts > sabotage %s is refused at its step with its code, and nothing recorded is lost',
      ],
    },
  ],
};
