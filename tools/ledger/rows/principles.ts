import type { Section } from '../row.ts';

export const principles: Section = {
  slug: 'principles',
  title: 'Principles',
  about: 'What holds for everything that is built here, each as a rule that can be tested.',
  rows: [
    {
      id: 'principles/least-key-exposure',
      text: 'A private key is used where it lies and cannot be exported.',
      duty: 'rule',
      closedBy: [],
      partly:
        'The attestation key and that of the connection never leave the TPM, and memory and disk are searched; ML-DSA keys are made in the memory of the hands for one operation.',
    },
    {
      id: 'principles/hardware-protection',
      text: 'Where hardware protects keys, every lasting key of the device is made in it or sealed by it.',
      duty: 'rule',
      closedBy: [],
      partly:
        'True of what provisioning makes, and files are searched for the rest; the pairing of the relay is older than that.',
    },
    {
      id: 'principles/device-bound-trust',
      text: 'What a device proves itself by is bound to its TPM: copied to another one, it opens nothing.',
      duty: 'rule',
      closedBy: [
        'hal/contract/tpm.ts > is always the same TPM, with an attestation key that is restricted to signing (SR-05)',
        'hal/contract/tpm.ts > opens a credential made for its two keys, and no other',
        'hal/contract/tpm.parts.test.ts > seals the device secret to this TPM: another one does not open it',
        'hal/contract/tpm.parts.test.ts > two devices share no key and no handle',
      ],
    },
    {
      id: 'principles/trust-domains',
      text: 'Trust domains are apart: own user, own socket, own keys for each.',
      duty: 'rule',
      closedBy: [
        'agents/package/package.test.ts > give each program a user of its own, no new privileges, and nothing to write but its own',
        'sim/qemu/confined.warm.test.ts > are users of their own, with no privilege to be had',
        'tools/dist/install.machine.test.ts > is provisioned where a TPM is, and reports posture over its sockets',
        'sim/levels/keys.day.test.ts > the keys of a running device',
      ],
    },
    {
      id: 'principles/administration-without-plaintext',
      text: 'Administration never means access to content: no field of any API is one for content.',
      duty: 'rule',
      closedBy: [
        'tools/build/schema.test.ts > every text and bytes field is of a kind in the closed list, and the list has no free text',
        'tools/build/schema.test.ts > no field is named after content',
        'protos/edge.test.ts > refuses a field that is missing, of another kind, or too many',
      ],
    },
    {
      id: 'principles/cryptographic-agility',
      text: 'Every envelope names its suite, two suites are alive, and nothing negotiates down.',
      duty: 'rule',
      closedBy: [
        'hal/crypto/envelope.test.ts > SR-03: sealed by either back end opens in both, to the payload and who signed',
        'hal/crypto/envelope.test.ts > the suite comes from policy: renaming it in the message neither opens nor downgrades anything',
        'hal/crypto/envelope.test.ts > another suite, audience or payload type than the policy names',
        'hal/crypto/envelope.test.ts > a key id names the suite and both keys',
        'hal/crypto/suites.test.ts > SR-03: refuses a key of another suite, whatever it signed',
        'hal/crypto/suites.test.ts > SR-09: refuses one signature without the other, absent or empty',
      ],
    },
    {
      id: 'principles/defense-in-depth',
      text: 'Behind every control stands a second one, shown by switching the first one off.',
      duty: 'rule',
      closedBy: [],
    },
    {
      id: 'principles/verification-before-action',
      text: 'Effectors act only on a permit that a decision made.',
      duty: 'rule',
      closedBy: [
        'agents/hands/permits.test.ts > is every method of the door but those that are known to need no permit',
        'agents/hands/permits.test.ts > %s acts under its own permit, and not without one',
        'agents/hands/permits.test.ts > does nothing when one bit of the permit is not as it was made, wherever it is',
        'agents/mind/authorizer.test.ts > names in the permit the record of the decision, which is in the log before the hands act',
        'agents/mind/authorizer.test.ts > makes no permit and no call for what was denied',
        'sim/levels/permits.day.test.ts > is refused %s, and the device goes on',
        'sim/levels/permits.day.test.ts > is refused under another key, in part, and when there is none',
      ],
    },
    {
      id: 'principles/authentication-is-not-trust',
      text: 'Having signed in implies neither trust in the device nor any right of administration.',
      duty: 'rule',
      closedBy: [
        'agents/decision/decide.test.ts > account authentication alone never changes any decision to allow',
        'sim/cli/day.day.test.ts > ends as it should on a new device, and again on the same one',
      ],
    },
    {
      id: 'principles/posture-is-a-signal',
      text: 'Posture is told as a signal, not a guarantee: no words claim that a device is secure.',
      duty: 'rule',
      closedBy: [
        'agents/posture/catalogue.test.ts > never claims that something is secure: the word stands only in the name of Secure Boot',
        'agents/posture/catalogue.test.ts > states every limit of the mission',
        'agents/page/document.test.ts > shows each finding with state, value, items at fault, age, why and remedy',
      ],
    },
    {
      id: 'principles/additive',
      text: 'The app’s own security never rests on Enigm OS: all signals absent is a defined case, not an error.',
      duty: 'rule',
      closedBy: [],
      partly: 'Without any fact the decision is a denial with a code; what the app does without a device is not shown.',
    },
    {
      id: 'principles/network-without-collection',
      text: 'What enforces network policy counts in sums and keeps no destinations.',
      duty: 'rule',
      closedBy: [],
      partly:
        'Packet rules match, count and end, look at no address, and are read back as a digest and two sums; to let answers in, the connection tracking of the kernel knows connections while they last.',
    },
    {
      id: 'principles/category-explanations',
      text: 'A risk is explained by a category of a closed list, never by how it was detected.',
      duty: 'rule',
      closedBy: [
        'sim/peers/enyra.test.ts > says category, band, app and expiry, and no more',
        'agents/defense/telemetry.test.ts > two judgements that differ in anything else are the same message',
        'agents/defense/judge.test.ts > names a window by what it does: %s',
        'protos/edge.test.ts > refuses an enum value without a word',
        'hal/remote/door.test.ts > sends a refusal as its code and nothing more (SR-10)',
      ],
    },
    {
      id: 'principles/minimal-data',
      text: 'Records hold the least there is to hold, no content, for a defined time, and the log stays provable when they go.',
      duty: 'rule',
      closedBy: [
        'tools/build/schema.test.ts > every text and bytes field is of a kind in the closed list, and the list has no free text',
        'agents/audit/log.test.ts > keeps what it acknowledged over a kill, in order, each under its category',
        'agents/audit/log.test.ts > makes room by dropping bodies whose time ended, and stays provable',
      ],
    },
    {
      id: 'principles/expected-denials',
      text: 'A refusal is an expected answer with a code, never an exception.',
      duty: 'rule',
      closedBy: [
        'agents/decision/decide.test.ts > is deny when the engine fails, whatever the facts',
        'attestation/appraise.test.ts > no input makes it throw',
        'protos/edge.test.ts > never throws on bytes that are no %s, and what it accepts it can write again',
        'hal/remote/door.test.ts > sends a refusal as its code and nothing more (SR-10)',
      ],
    },
    {
      id: 'principles/no-content-in-logs',
      text: 'No log holds protected content or credentials, shown by planted words that never appear.',
      duty: 'rule',
      closedBy: [],
      partly:
        'Nine planted identifiers go through sign-in, sessions, decisions, enrolment and attestation, and are in no log, refusal or answer; fleet and bundles are not among those paths.',
    },
    {
      id: 'principles/separation-of-duties',
      text: 'Least privilege, and two people at least for wipe, revocation and a weaker policy.',
      duty: 'rule',
      closedBy: [],
      partly:
        'Two people sign policy and releases, one alone is refused, and a release is reviewed by somebody else than its author; no wipe and no revocation.',
    },
    {
      id: 'principles/privileged-apart',
      text: 'Privileged actions have a socket, a key and a class of records of their own.',
      duty: 'rule',
      closedBy: [],
      partly:
        'A class of records of their own, anchored at once; provisioning has a socket of its own, which goes when it is done.',
    },
    {
      id: 'principles/emergency',
      text: 'Emergency is the user’s: tied to an event, apart from content, dormant otherwise; no agent asks the Key.',
      duty: 'rule',
      closedBy: [
        'firmware-key/core/table.test.ts > in every state × armed × linked: no alert and no position without a press, no line without cable or chord',
        'firmware-key/core/table.test.ts > nothing exists in dormancy, and only a press, a chord, the cable or a fault leaves it',
        'firmware-key/dormancy.test.ts > 30 days in a world of its own: the line, the air and the motor are silent',
        'firmware-key/emergency.test.ts > from press to end: nothing before, sealed to each contact, positions while it lasts, nothing left',
        'firmware-key/emergency.test.ts > what stays is an audit entry without place, person or exact time',
        'firmware-key/host/key-host.test.ts > remote arming is refused unless allowed on the Key (SR-36)',
        'agents/beacon/door.test.ts > says what is there without waking the Key, and what the Key says where it is asked',
        'tools/build/release.test.ts > has nothing of the TPM, of decisions or of the audit log, and loads the one addon that lies beside it',
        'sim/levels/beacon.day.test.ts > carries an emergency on a device that nobody provisioned, mind dead or alive',
        'sim/levels/beacon.day.test.ts > killed in the middle of an alert, with the mind dead and the power of the Key cut, it loses none',
      ],
    },
    {
      id: 'principles/limitations',
      text: 'What a device does not prove is said where its posture is shown, on the page and by `enigmctl posture --explain`.',
      duty: 'rule',
      closedBy: [
        'agents/posture/catalogue.test.ts > states every limit of the mission',
        'agents/page/document.test.ts > shows each finding with state, value, items at fault, age, why and remedy',
        'agents/cli/enigmctl.test.ts > prints every finding, and with --explain why each matters and every limit',
      ],
    },
  ],
};
