/**
 * The one vocabulary of refusal (SR-10).
 *
 * Outward a refusal is `category/reason` and nothing more. The eight categories of the mission come first, then
 * three operational ones. A reason is added, never reused for a new meaning. Each row says what the reason means and
 * what would change it; `enigmctl explain CODE` prints exactly this.
 */
interface Entry {
  readonly meaning: string;
  readonly remedy: string;
}

const entry = (meaning: string, remedy: string): Entry => ({ meaning, remedy });

export const faults = {
  identity: {
    'key-not-paired': entry('No Enigm Key is paired with this device.', 'Pair a Key with this device.'),
    'actor-missing': entry('No verified person is known to this device.', 'Sign in again with the identity service.'),
    'assertion-expired': entry('The sign-in statement is too old.', 'Sign in again.'),
    'assertion-not-yet-valid': entry('The sign-in statement lies in the future.', 'Check the clock, then sign in again.'),
    'pin-refused': entry(
      'The token or the TPM that holds the key refuses the PIN.',
      'Check the PIN; after a few wrong ones a token locks itself, and a TPM takes none for a while.',
    ),
    'session-missing': entry('No session has been established on this device.', 'Open a session with the account service.'),
    'session-expired': entry('The session has ended.', 'Open a new session.'),
    'session-closed': entry('The account service closed this session.', 'Open a new session.'),
    'session-replayed': entry(
      'An older statement about this session was presented again.',
      'Ask the account service for its current statement.',
    ),
    'recovery-pending': entry(
      'The account is being recovered; protected operations wait until that has ended.',
      'Finish the recovery with the account service.',
    ),
  },
  authorization: {
    'chord-missing': entry(
      'The Enigm Key does this only after both of its buttons.',
      'Press both buttons for two seconds, then ask again.',
    ),
    'key-declined': entry('The Enigm Key does not do this.', 'Look at the state of the Key first.'),
    'action-unknown': entry(
      'The action is not one that this device decides on.',
      'Name an action from the list that `enigmctl decide --list` prints.',
    ),
    'resource-unknown': entry('The resource category is not known.', 'Name a resource category from `enigmctl decide --list`.'),
    'not-permitted': entry(
      'No policy permits this action for this person.',
      'Ask an administrator whose role includes the action.',
    ),
    'permission-missing': entry(
      'The account does not let this person use what is protected.',
      'Ask whoever administers the account.',
    ),
    'key-unknown': entry('No key of this class has this id on this device.', 'Read classes and ids: `enigmctl keys list`.'),
    'permit-missing': entry('The effector was called without a permit.', 'Ask for a decision first.'),
    'permit-invalid': entry('The permit was not made by this device in its present life.', 'Ask for a new decision.'),
    'permit-audience': entry('The permit is for another effector.', 'Ask for a decision on this action.'),
    'permit-arguments': entry('The permit was made for other arguments.', 'Ask for a decision on exactly these arguments.'),
    'permit-expired': entry('The permit has expired.', 'Ask for a new decision.'),
    'permit-replayed': entry('The permit has been used.', 'Ask for a new decision.'),
    'order-replayed': entry(
      'An older order of the administration was presented again.',
      'Ask the administration for its newest order.',
    ),
    'permit-boot': entry('The permit belongs to an earlier boot.', 'Ask for a new decision.'),
    'peer-refused': entry(
      'The program at the other end of the socket is not the one that may use it.',
      'Run the command as the user that the device was set up for.',
    ),
    'tpm-command-refused': entry(
      'The TPM command is not one that this client may send.',
      'None: the network-facing program may only sign with its own key.',
    ),
  },
  posture: {
    missing: entry('The posture of this device is not known.', 'Run `enigmctl posture`.'),
    stale: entry('The posture was measured too long ago.', 'Run `enigmctl posture`.'),
    'os-trust-missing': entry(
      'The state of the operating system is not known.',
      'Run `enigmctl posture` and read the findings that are unknown.',
    ),
    'level-too-low': entry(
      'The device has not reached the level that this action needs.',
      'Read the failing findings: `enigmctl posture`.',
    ),
    'programs-unhealthy': entry(
      'One of the programs that protect this device is not running as it should.',
      'Wait for its restart; if it stays so, run `enigmctl doctor`.',
    ),
    'time-unknown': entry(
      'The device cannot establish what time it is.',
      'Connect to the verifier, which answers with signed time.',
    ),
    'lifecycle-state': entry('The device is not active.', 'Enrol or resume the device.'),
  },
  handle: {
    missing: entry('No handle is established for this relying party.', 'Attest to the verifier.'),
    'session-of-another-device': entry(
      'The session belongs to another device; a new device is a new trust event.',
      'Open a session on this device.',
    ),
    'outcome-of-another-device': entry('The outcome is for another device.', 'Ask the service for the outcome of this device.'),
    'order-of-another-device': entry('The order is for another device.', 'Ask the administration for the order of this device.'),
    'already-bound': entry(
      'The verifier has bound another handle for this device, relying party and epoch.',
      'None: one device has one handle for each relying party and epoch.',
    ),
    revoked: entry('The device has been revoked.', 'None: revocation is final.'),
  },
  policy: {
    missing: entry('No policy is in force.', 'Install a signed policy.'),
    stale: entry('The policy is older than it may be.', 'Fetch the current one: `enigmctl policy apply`.'),
    'engine-failed': entry('The policy engine could not decide.', 'Run `enigmctl doctor`.'),
    'time-budget': entry('The policy engine did not decide in time.', 'Try again.'),
    'app-not-allowed': entry('The app is not among those that the policy allows.', 'Ask an administrator to allow it.'),
    'version-reused': entry('Another policy of the same version was applied before.', 'Publish the change under a new version.'),
    contradictory: entry('The policy asks for what cannot hold together.', 'Correct the policy and sign it again.'),
    'metadata-expired': entry(
      'The release metadata is older than it may be; somebody may be holding back newer ones.',
      'Check the clock and the network; then try again.',
    ),
    'target-missing': entry('No role that may publish it names this file.', 'Ask the publisher of the release.'),
    'release-current': entry('This release is installed already.', 'None.'),
    'hardware-mismatch': entry('The release is not for this hardware.', 'Choose the release of this hardware class.'),
    'last-key': entry(
      'It is the last key of its class that this device believes: without it nothing of that class verifies any more.',
      'Configure its successor first; to revoke it all the same: `enigmctl keys revoke --last`.',
    ),
    'key-in-use': entry('The key is the one that this device signs with.', 'Make its successor first: `enigmctl keys rotate`.'),
    'key-elsewhere': entry(
      'This device cannot do that with a key of this class.',
      'Read who can, and how: `enigmctl keys list`.',
    ),
    'trial-running': entry(
      'The running system is on trial; its fallback must stay whole until the trial has ended.',
      'Wait until the trial is committed or has fallen back.',
    ),
    'release-failed': entry('This release has failed on this device.', 'Install a newer release.'),
    'other-release-first': entry(
      'The release cannot follow the installed one directly.',
      'Install the release between them first.',
    ),
    'update-gate-closed': entry(
      'The device is not in a state to be written for minutes: charge or heat.',
      'Charge the device, or let it cool; a repair release is installed all the same.',
    ),
    'health-missing': entry(
      'A check of the trial has not passed.',
      'Wait for the end of the trial: it is committed or falls back.',
    ),
    'references-missing': entry(
      'The verifier does not know the reference values of this release yet.',
      'Publish its reference values first.',
    ),
    'floor-unapproved': entry(
      'The running release brings no approval to raise the floor so far.',
      'Install a release that stands on that floor; it brings its own.',
    ),
    'no-trial': entry('No release is on trial.', 'Read what each slot holds: `enigmctl update status`.'),
    'no-fallback': entry(
      'The other slot holds no release that may be started.',
      'Install a release: `enigmctl update install`; repair: `enigmctl update install --repair`.',
    ),
    'grant-missing': entry(
      'A carried release needs a grant on this device, and none came with it.',
      'Have the archive made with a grant for this hardware; a repair release needs none: `enigmctl update install --repair`.',
    ),
    'grant-expired': entry('The grant of this technician has expired.', 'Ask its custodians for a new one.'),
    'grant-range': entry('The release is not among those that the grant allows.', 'Ask its custodians for another grant.'),
    'grant-used': entry(
      'This device has taken as many releases under the grant as it allows.',
      'Ask its custodians for a new one.',
    ),
    'review-missing': entry('Nobody but the author has reviewed the release.', 'Ask somebody else to review it.'),
  },
  integrity: {
    missing: entry(
      'The integrity of the running software is not established.',
      'Attest, and read the boot findings: `enigmctl posture`.',
    ),
    'data-closed': entry(
      'The data of this device stays closed: its TPM, its firmware’s keys or what it started is not what the data was sealed to.',
      'Put disk and TPM of one device together again and start its release; else have the device made anew.',
    ),
    'boot-unverified': entry(
      'What this device started is not what its measurements must be.',
      'Reboot; if it stays so, have the software of this device installed anew.',
    ),
    'release-unverified': entry(
      'What runs is not shown to be the release that was installed and proved.',
      'Run `enigmctl update status`; if it stays so, have the software of this device installed anew.',
    ),
    'signature-invalid': entry('A signature does not verify.', 'None: the bytes are not what was signed.'),
    'signature-missing': entry('One of the two signatures that must be there is not.', 'None: both algorithms are required.'),
    'suite-refused': entry('The signatures use a suite that policy does not accept.', 'None: suites are never negotiated down.'),
    'audience-mismatch': entry('The signed statement is for somebody else.', 'None.'),
    'payload-type': entry('The signed statement is of another kind.', 'None.'),
    'audit-tampered': entry('The audit log is not what it was.', 'Keep what `enigmctl audit verify` prints, for review.'),
    'office-log-tampered': entry(
      'The record of who did what at the publisher is not what was written.',
      'Compare its head with the one in the requests that custodians keep; then restore the publisher.',
    ),
    'audit-degraded': entry(
      'The audit log cannot be written or anchored at the moment.',
      'Free some space; run `enigmctl doctor`.',
    ),
    'key-revoked': entry(
      'The key that signed this was revoked on this device; it verifies nothing any more.',
      'Ask for the same under a newer key; read which are believed: `enigmctl keys list`.',
    ),
    'read-back': entry(
      'What is in force is not what was asked for.',
      'Run `enigmctl policy apply`; if it stays so, restart the device.',
    ),
    'proof-invalid': entry('The audit proof does not lead to the checkpoint.', 'None.'),
    'decryption-failed': entry('The sealed bytes do not open.', 'None.'),
    'pairing-unreadable': entry(
      'The pairing with the Enigm Key does not open: it was sealed by another device, or changed. Alerts go out all the same.',
      'Reset the Key by its buttons, then run `enigmctl beacon pair`.',
    ),
    'peer-key-invalid': entry('A public key or share of the other side is not one that its standard accepts.', 'None.'),
    'read-back-mismatch': entry(
      'What was written is not what is read back.',
      'Try again; if it stays so, the storage is failing.',
    ),
    'image-mismatch': entry('The written slot is not the image that the release names.', 'Install the release again.'),
    'slot-mismatch': entry(
      'The slot that runs is not the one that was written.',
      'Reboot; if it stays so, have the software of this device installed anew.',
    ),
    'payload-malformed': entry(
      'The index or the recipe of an update breaks its own limits.',
      'None: the publisher must build it again.',
    ),
    'segment-mismatch': entry(
      'A piece of the update is not the one that the release names.',
      'Download it again, from another mirror.',
    ),
    'key-scheme': entry('A key is not of the type that it claims to be.', 'None: a key has one type and one encoding.'),
    'hybrid-rule': entry(
      'Release metadata does not follow the rule that every custodian signs with both algorithms.',
      'None: the rule cannot be dropped.',
    ),
    'custodians-missing': entry(
      'Fewer custodians than required have signed the release metadata.',
      'Collect the missing signatures, then publish again.',
    ),
    'metadata-rollback': entry('Older release metadata was presented than was seen before.', 'None.'),
    'metadata-mismatch': entry('A piece of release metadata is not the one that the piece above it names.', 'None.'),
    'target-mismatch': entry('A file is not the one that the release metadata names.', 'Download it again.'),
    'role-mismatch': entry('A file was published by a role that may not publish files of its class.', 'None.'),
    'release-rollback': entry('The release is older than the installed one.', 'None: publish the old code as a new release.'),
    'below-floor': entry('The release is below the floor of this device.', 'Choose a newer release.'),
    'log-proof-missing': entry(
      'The release comes without proof that it was entered in the log of releases.',
      'None: a release that nobody was shown is not installed. Ask its publisher.',
    ),
    'log-proof-invalid': entry('The proof does not lead from the release to the log.', 'Fetch it again; else ask its publisher.'),
    'log-rollback': entry('An older state of the log of releases was presented than was seen before.', 'None.'),
    'log-split': entry(
      'The log of releases shows two different histories.',
      'Keep both checkpoints: they prove it. Ask whoever runs the log.',
    ),
    'witnesses-missing': entry(
      'Too few witnesses have seen the log of releases in this state.',
      'Ask its publisher to gather their cosignatures.',
    ),
    'tpm-cleared': entry(
      'The TPM of this device was cleared: its floor, its keys and what it had sealed are gone. Nothing is installed any more.',
      'Have the device made anew.',
    ),
    'floor-mismatch': entry(
      'What the TPM holds in place of the floor is not the floor of this class of devices.',
      'Have the device made anew.',
    ),
    'director-mismatch': entry(
      'The director names another file than the image repository does.',
      'None: both repositories must agree.',
    ),
    'director-nonce': entry('The answer of the director is for another request.', 'Ask again.'),
    'director-lifetime': entry('The answer of the director is valid for longer than it may be.', 'None.'),
    'grant-mismatch': entry(
      'What the technician signed belongs to another grant than the one that is published for this hardware.',
      'Have the archive made again, under the present grant.',
    ),
    'grant-lifetime': entry('The grant is valid for longer than one may be.', 'None: its custodians must sign a shorter one.'),
    'director-delegates': entry('The director delegated, which only the image repository may do.', 'None.'),
  },
  attestation: {
    missing: entry('This device has not been attested.', 'Run `enigmctl attest now`.'),
    stale: entry('The attestation result has expired.', 'Run `enigmctl attest now`.'),
    'not-affirming': entry('The verifier did not affirm the state of this device.', 'Read what it found: `enigmctl posture`.'),
    malformed: entry('The evidence cannot be read.', 'None: evidence has one encoding.'),
    'quote-signature': entry('The TPM quote is not signed by the attestation key of this device.', 'None.'),
    'quote-type': entry('What the TPM signed is not a quote.', 'None.'),
    'key-attributes': entry('The attestation key is not a restricted signing key of a TPM.', 'Provision the device again.'),
    'key-untrusted': entry(
      'No trusted root vouches for this TPM.',
      'Add the device to the allow-list of its tenant, or use a TPM with a vendor certificate.',
    ),
    algorithm: entry('An algorithm is weaker than policy accepts.', 'None.'),
    'nonce-mismatch': entry('The evidence answers another challenge.', 'Ask for a new challenge.'),
    'nonce-expired': entry('The challenge was not answered in time, or was answered before.', 'Ask for a new challenge.'),
    'binding-mismatch': entry('The quote does not bind what came with it.', 'None.'),
    'pcr-selection': entry('The quote does not cover the registers that policy needs.', 'None.'),
    'pcr-digest': entry('The register values are not the ones that were quoted.', 'None.'),
    'log-malformed': entry('The boot log cannot be read.', 'None.'),
    'log-replay': entry(
      'The boot log does not lead to the quoted registers.',
      'Reboot; if it stays so, have the software of this device installed anew.',
    ),
    'log-semantics': entry(
      'The boot log replays, but an event contradicts its own digest or place.',
      'Reboot; if it stays so, have the software of this device installed anew.',
    ),
    'log-missing': entry('The boot log named by the evidence was never sent.', 'Attest again; the device sends the log.'),
    'reference-mismatch': entry('The device started software that no release names.', 'Install a current release.'),
    'clock-rollback': entry(
      'The counters of the TPM went back: an earlier state was restored.',
      'None: provision the device again.',
    ),
    'clock-unsafe': entry(
      'The TPM was shut down without warning and its clock may have gone back.',
      'Let the device run for some minutes, then attest again.',
    ),
    'pq-missing': entry('The post-quantum signature is missing.', 'None: both algorithms are required.'),
    'pq-signature': entry('The post-quantum signature does not verify.', 'None.'),
    'pq-key': entry('The post-quantum key is not the enrolled one.', 'None.'),
    'enrolment-unknown': entry('The verifier does not know this device.', 'Enrol the device.'),
    'enrolment-proof': entry('The TPM could not prove that it holds the attestation key.', 'Provision the device again.'),
    'endorsement-chain': entry('The endorsement certificate does not lead to a trusted root.', 'None.'),
    'endorsement-revoked': entry('This TPM belongs to a device that was revoked.', 'None: revocation is final.'),
    'result-signature': entry('The attestation result is not signed by both keys of the verifier.', 'None.'),
    'result-audience': entry(
      'The attestation result is for another relying party or another key.',
      'Attest for this relying party.',
    ),
  },
  intelligence: {
    missing: entry('The state of the local detection engine is not known.', 'Run `enigmctl doctor`.'),
    stale: entry('The last outcome of the detection engine is too old.', 'Wait for its next self-test.'),
    blocked: entry(
      'What this device or the intelligence service found blocks this.',
      'Read what: `enigmctl defense`; wait for its expiry, or ask for a review.',
    ),
    'risk-found': entry('What a program of this device does is taken for a risk.', 'Read what to do: `enigmctl defense`.'),
    'outcome-expired': entry('The outcome of the intelligence service is too old.', 'Ask the service for its current outcome.'),
    'outcome-not-yet-valid': entry('The outcome of the intelligence service lies in the future.', 'Check the clock.'),
    'outcome-replayed': entry(
      'An older outcome of the intelligence service was presented again.',
      'Ask the service for its current outcome.',
    ),
    'model-invalid': entry('The detection model breaks its own limits.', 'None: the publisher must make it again.'),
    'baseline-refused': entry(
      'What a detection model should take for ordinary cannot be told from attacks.',
      'Record the ordinary programs again, on a device that is known to be good.',
    ),
    'opinions-differ': entry(
      'Two engines do not score the same windows alike.',
      'Run `enigmctl doctor`; our own engine is the one that counts.',
    ),
  },
  protocol: {
    malformed: entry('A message cannot be read.', 'None: the other end sent something else.'),
    'too-large': entry('A message is larger than it may be.', 'None.'),
    'range-ignored': entry('A repository sent another part of a file than was asked for.', 'None: another mirror is asked.'),
    'field-invalid': entry('A field of a message is not of its kind.', 'None.'),
    'method-unknown': entry('The other end does not offer this method.', 'Use programs of the same release.'),
    'event-refused': entry('The state does not allow this.', 'Read the current state: `enigmctl`.'),
    'config-invalid': entry('The configuration cannot be used.', 'The message names the path and what was expected.'),
    'certificate-invalid': entry('A certificate cannot be read.', 'None.'),
    'file-unreadable': entry('The file cannot be read.', 'Check the path and its permissions.'),
  },
  resource: {
    'queue-full': entry('Too much is waiting.', 'Try again later.'),
    'rate-limited': entry('Too many requests in a short time.', 'Try again later.'),
    'time-limit': entry('It took longer than it may.', 'Try again.'),
    'storage-full': entry('There is no room left.', 'Free some space.'),
    'slot-too-small': entry('The image does not fit the slot.', 'Choose the release of this hardware class.'),
    'update-busy': entry('Another update is being written.', 'Wait until it has ended.'),
    'tpm-full': entry(
      'The TPM has no room left for what a device keeps in it.',
      'Free indexes that nobody uses, with its tools.',
    ),
    'count-limit': entry('There are more items than there may be.', 'None.'),
  },
  unavailable: {
    'link-down': entry('The line to the Enigm Key is not there.', 'Plug it in, or press both of its buttons.'),
    'key-silent': entry('The Enigm Key does not answer.', 'Press both of its buttons for two seconds, then ask again.'),
    'pairing-locked': entry(
      'The hands have not given the key that opens the pairing with the Enigm Key. Alerts go out all the same.',
      'Try again; if it stays so, run `enigmctl doctor`.',
    ),
    'not-provisioned': entry('This device has not been provisioned.', 'Run `enigmctl provision`.'),
    'already-provisioned': entry('This device has been provisioned.', 'None: wipe it first.'),
    'program-failed': entry(
      'A program of this device met an error of its own.',
      'Try again; if it stays so, run `enigmctl doctor` and report what the log says.',
    ),
    'program-down': entry('A program of this device does not answer.', 'Start the device; then run `enigmctl doctor`.'),
    'broker-unreachable': entry('The message broker does not answer.', 'Check the network; messages wait on the device.'),
    'broker-refused-us': entry('The message broker refuses this device.', 'Ask an administrator: the device may be suspended.'),
    'peer-unreachable': entry('The far end cannot be reached.', 'Check the network.'),
    'certificate-time': entry(
      'By the clock of this device the certificate of the far end is not valid now.',
      'Check the clock; where it is right, ask whoever runs the far end for its certificate.',
    ),
    'peer-refused-us': entry('The far end answered with an error.', 'Try again later.'),
    'tpm-failed': entry('The TPM answered with an error.', 'Run `enigmctl doctor`.'),
    'token-missing': entry(
      'There is no such token, no such key in it, or one of that name already.',
      'Plug the token in; check module, token and key in the file of the custodian.',
    ),
    'token-failed': entry('The token answered with an error.', 'Try again; the detail has the call and its value in PKCS #11.'),
    'tpm-unguarded': entry(
      'The TPM of this machine does not limit guesses of PINs, or lets anybody at the machine set the count back.',
      'Give it limits and a lockout password, with its tools: `tpm2_changeauth -c lockout file:-`; then try again.',
    ),
    'sealed-elsewhere': entry(
      'What is sealed was sealed by another TPM, or by this one before it was cleared.',
      'Use the machine on which it was sealed; where that is lost, its secret is too: a new custodian takes its place.',
    ),
    'tpm-missing': entry('No TPM can be opened, or it answers no more.', 'Run `enigmctl doctor`.'),
    'tpm-locked-out': entry(
      'The TPM takes no authorization for a while: too many were wrong.',
      'Leave the machine powered until its TPM has recovered; on a device nothing is installed before.',
    ),
    'floor-missing': entry(
      'The TPM of this device has no floor for releases yet.',
      'Run `enigmctl provision`; a device that has an owner makes it at its next start.',
    ),
    'statement-missing': entry(
      'The signed statement of the release in the other slot was not kept.',
      'Install that release again: it brings its statement.',
    ),
    'storage-failed': entry('The storage answered with an error.', 'Run `enigmctl doctor`.'),
    'engine-missing': entry('No inference engine works on this machine.', 'Run `enigmctl doctor`.'),
    'not-supported': entry('This machine cannot do that.', 'Read the table of limits in the README.'),
    aborted: entry('The work was called off.', 'Start it again.'),
    'not-found': entry('The far end does not have it.', 'None: it may not have been published.'),
  },
} as const satisfies Record<string, Record<string, Entry>>;

export type Category = keyof typeof faults;
export type Reason<C extends Category = Category> = C extends Category ? keyof (typeof faults)[C] & string : never;

export const categories = Object.keys(faults) as Category[];

/** What one `category/reason` means and what would change it; undefined for a code that does not exist. */
export const explain = (code: string): Entry | undefined => {
  const [category, reason, ...rest] = code.split('/');
  if (category === undefined || reason === undefined || rest.length > 0) return undefined;
  const reasons: Record<string, Entry> | undefined = Object.hasOwn(faults, category) ? faults[category as Category] : undefined;
  return reasons !== undefined && Object.hasOwn(reasons, reason) ? reasons[reason] : undefined;
};
