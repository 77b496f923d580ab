/**
 * What people read about this device, in English. Keys are the stable codes; `code in backticks` is typed as it stands.
 *
 * Posture is a signal, not a guarantee: no text claims more than what was measured.
 */
import type { Catalogue } from './catalogue.ts';

const doctor = { owner: 'you', text: 'Run `enigmctl doctor`; it names the part that could not be read.' } as const;
const image = {
  owner: 'administrator',
  text: 'The release of this device sets this when it starts. Install a current release; nothing on the running device turns it on.',
} as const;

export const english: Catalogue = {
  findings: {
    tpm: {
      title: 'Security chip',
      meaning: 'The TPM of this device answers. Its class is known once a verifier has vouched for it.',
      why: 'Every proof this device gives about itself is signed by a key that only this chip can use. Without it nothing below can be shown to anybody.',
      remedies: {
        unknown: { owner: 'you', text: 'Restart the device. If the chip still does not answer, run `enigmctl doctor`.' },
      },
    },
    'boot-log': {
      title: 'Start-up record',
      meaning: 'The record of what was started leads to exactly the values that the TPM holds.',
      why: 'A record that does not match the chip was changed, or something started without being recorded.',
      remedies: {
        fail: {
          owner: 'you',
          text: 'Restart the device. If this stays so, ask your administrator to install its software anew.',
        },
      },
    },
    'installed-release': {
      title: 'Installed release',
      meaning: 'What was started is the release that this device wrote, read back and proved before it let it start.',
      why: 'A system that came onto the device by another way was checked by nobody here.',
      remedies: {
        fail: {
          owner: 'you',
          text: 'Restart the device. If this stays so, run `enigmctl update install --repair`.',
        },
        unknown: { owner: 'administrator', text: 'The device cannot read what it installed. It may need service.' },
      },
    },
    attestation: {
      title: 'Affirmation by a verifier',
      meaning: 'An independent verifier compared signed evidence of this device with what its release should look like.',
      why: 'A device cannot vouch for itself. Without a current affirmation, protected operations are refused.',
      remedies: {
        fail: {
          owner: 'you',
          text: 'Run `enigmctl attest now`. If the verifier still does not affirm, show its code to your administrator.',
        },
        unknown: { owner: 'you', text: 'Run `enigmctl attest now`: the verifier has not been asked yet.' },
        stale: { owner: 'you', text: 'Run `enigmctl attest now`: the last affirmation is too old.' },
      },
    },
    clock: {
      title: 'Signed time',
      meaning: 'A verifier signed the time in answer to a challenge of this device since it started.',
      why: 'Whoever can set the clock back can make expired permissions and old releases look current.',
      remedies: {
        fail: { owner: 'you', text: 'Connect to the network and run `enigmctl attest now`: the answer carries signed time.' },
      },
    },
    'audit-log': {
      title: 'Audit log',
      meaning: 'No record that was anchored has been changed or taken away, and the TPM counts along.',
      why: 'Without an intact log nobody can tell afterwards what was allowed, by whom and why.',
      remedies: {
        fail: {
          owner: 'administrator',
          text: 'Run `enigmctl audit verify` and keep its output: records were changed or taken away. Review the device before it is trusted again.',
        },
      },
    },
    programs: {
      title: 'Protecting programs',
      meaning: 'Each program that protects this device answers.',
      why: 'A part that has stopped protects nothing, and what it measured is no longer renewed.',
      remedies: {
        fail: { owner: 'you', text: 'Wait a minute: they are restarted by themselves. If this stays so, run `enigmctl doctor`.' },
      },
    },
    lifecycle: {
      title: 'Service of this device',
      meaning: 'The device is enrolled and active.',
      why: 'A device that is suspended, replaced, revoked or retired must not be used for protected work.',
      remedies: {
        fail: {
          owner: 'administrator',
          text: 'Enrol the device with `enigmctl enrol` if it is new; otherwise only your administrator can resume it.',
        },
      },
    },
    'release-floor': {
      title: 'Floor of releases',
      meaning: 'The security chip says below which release this device installs and starts nothing.',
      why: 'Without it an older release, with faults that are known by now, could be put back.',
      remedies: {
        fail: {
          owner: 'administrator',
          text: 'The security chip does not say it, so nothing is installed. `enigmctl update status` says why. It may need service.',
        },
        unknown: { owner: 'administrator', text: 'The device cannot read what it installed. It may need service.' },
      },
    },
    'secure-boot': {
      title: 'Secure Boot',
      meaning: 'The firmware started only software whose signature it knows.',
      why: 'Otherwise anybody with the device in hand can start other software before the system is there to object.',
      remedies: {
        fail: { owner: 'administrator', text: 'Turn Secure Boot on in the firmware set-up, with the keys of this release.' },
      },
    },
    'release-log': {
      title: 'Public log of releases',
      meaning: 'The release that runs was entered in a public log, and independent witnesses saw it there.',
      why: 'Whoever stole the keys that sign releases could give this device a system that nobody else ever saw.',
      remedies: {
        fail: {
          owner: 'administrator',
          text: 'Ask the publisher of the release why it is in no log. Read what was installed: `enigmctl update history`.',
        },
      },
    },
    'hardware-tpm': {
      title: 'Security chip in hardware',
      meaning: 'The maker of a discrete or firmware TPM vouched for the chip of this device.',
      why: 'A TPM made of software keeps its keys where other software can reach them: it proves nothing about hardware.',
      remedies: {
        fail: {
          owner: 'administrator',
          text: 'Use a device with a TPM that carries its maker’s certificate. A software TPM stays at the level basic.',
        },
      },
    },
    'verified-root': {
      title: 'System files',
      meaning: 'Every block of the system is checked against a signed hash tree when it is read.',
      why: 'Otherwise a changed system file would be run like any other.',
      remedies: { fail: image },
    },
    'kernel-lockdown': {
      title: 'Kernel lockdown',
      meaning: 'Even an administrator of the running system cannot change or read the kernel’s memory.',
      why: 'Otherwise whoever becomes administrator can switch every other protection off.',
      remedies: { fail: image },
    },
    'module-lock': {
      title: 'Kernel modules',
      meaning: 'After start-up the kernel refuses to load further code into itself.',
      why: 'A module that is loaded later runs with all powers and is part of no measurement.',
      remedies: {
        fail: {
          owner: 'you',
          text: 'Restart the device: the lock is set at the end of every start. If it stays open, tell your administrator.',
        },
      },
    },
    'security-modules': {
      title: 'Confinement of programs',
      meaning: 'The kernel’s modules that confine ordinary programs are active.',
      why: 'Without confinement, one program that is taken over can reach the files and the memory of the others.',
      remedies: { fail: image },
    },
    'kernel-taint': {
      title: 'Kernel taint',
      meaning: 'The kernel reports no foreign module, forced load or serious fault since it started.',
      why: 'A tainted kernel no longer is what was measured at the start.',
      remedies: {
        fail: {
          owner: 'you',
          text: 'Restart the device: the mark goes away with it. If it comes back, tell your administrator the value.',
        },
      },
    },
    'listening-sockets': {
      title: 'Network reachability',
      meaning: 'No program waits for connections that could come from outside this device.',
      why: 'Every open door is tried. A device that only calls out cannot be called upon.',
      remedies: {
        fail: {
          owner: 'administrator',
          text: 'Stop the programs that listen on the addresses at fault, or bind them to this device alone.',
        },
      },
    },
    'ptrace-scope': {
      title: 'Separation of programs',
      meaning: 'A program may not read the memory of another one that it did not start.',
      why: 'Otherwise one program that is taken over can take keys and messages out of the others.',
      remedies: { fail: image },
    },
    'core-dumps': {
      title: 'Crash dumps',
      meaning: 'When a program fails, its memory is not written to the disk.',
      why: 'Such a file may hold keys and messages, long after they were erased everywhere else.',
      remedies: { fail: image },
    },
    swap: {
      title: 'Swap space',
      meaning: 'No swap space is in use.',
      why: 'What is swapped out lies on the disk, keys included, also after the device was switched off.',
      remedies: {
        fail: {
          owner: 'administrator',
          text: 'Turn swap off (`swapoff -a`) and take it out of the configuration of this device.',
        },
      },
    },
    'audit-complete': {
      title: 'Audit without gaps',
      meaning: 'Nothing that should have been recorded was left out for want of space or of the TPM.',
      why: 'While records are left out, nobody can tell afterwards all that happened.',
      remedies: {
        fail: { owner: 'administrator', text: 'Free some space on the data partition, or review the log if it was changed.' },
      },
    },
    'link-key': {
      title: 'Key of the connection',
      meaning: 'The key by which the message broker knows this device is in its TPM, and cannot be copied out of it.',
      why: 'A key in memory can be copied by whoever takes over the program that speaks to the network.',
      remedies: {
        fail: {
          owner: 'administrator',
          text: 'Look up the code beside this finding with `enigmctl explain`; install tpm2-openssl if there is no provider, then restart the device.',
        },
      },
    },
    'inference-engine': {
      title: 'Local detection',
      meaning:
        'An engine for the local risk model passed its self-test, and scores what programs do as our own model does. Where a machine shows no system calls, nothing is judged.',
      why: 'Without it, unusual behaviour of programs is judged by fewer signals.',
      remedies: {
        fail: { owner: 'administrator', text: 'Run `enigmctl doctor`; this release may have no engine for this processor.' },
        unknown: { owner: 'you', text: 'Wait a minute for the first self-test. If this stays so, run `enigmctl doctor`.' },
      },
    },
  },
  commonRemedies: {
    fail: { owner: 'administrator', text: 'Show this finding to your administrator.' },
    unknown: doctor,
    stale: { owner: 'you', text: 'Run `enigmctl posture`: it measures again.' },
  },
  results: { pass: 'holds', fail: 'fails', 'not-applicable': 'does not apply', unknown: 'not known', stale: 'too old' },
  levels: {
    none: { word: 'none', meaning: 'Nothing is established. Every device starts here.' },
    basic: { word: 'basic', meaning: 'The device is known, keeps its records and was affirmed by a verifier.' },
    device: {
      word: 'device',
      meaning: 'Also: hardware vouches for the device, and the system that started is the one that was signed.',
    },
    strong: { word: 'strong', meaning: 'Also: little is left open to a program that has been taken over.' },
  },
  caps: {
    software: 'The TPM of this device is software. It proves nothing about hardware, so the level cannot rise above basic.',
    virtual: 'The TPM of this device is virtual. It proves nothing about hardware, so the level cannot rise above basic.',
    'not-vouched-for': 'No verifier has vouched for the TPM of this device, so no level can be reached.',
  },
  headlines: {
    'not-provisioned': {
      title: 'Not provisioned',
      sentence: 'This device has no keys of its own yet, so nothing about it can be shown to anybody.',
    },
    'not-enrolled': {
      title: 'Not enrolled',
      sentence: 'No verifier knows this device yet, so nobody else has checked what it says about itself.',
    },
    'not-active': {
      title: 'Not in service',
      sentence: 'This device is not active. Protected operations are refused.',
    },
    'at-risk': {
      title: 'At risk',
      sentence: 'Something that everything else rests on does not hold or cannot be confirmed. Protected operations are refused.',
    },
    reduced: {
      title: 'Reduced',
      sentence: 'The foundations hold, but not everything above them does. Some protections are missing or cannot be confirmed.',
    },
    'as-expected': {
      title: 'As expected',
      sentence: 'Everything that was measured holds. That is a signal, not a guarantee.',
    },
  },
  lifecycles: {
    unenrolled: { word: 'not enrolled', sentence: 'This device is not enrolled yet.' },
    enrolling: { word: 'enrolling', sentence: 'This device is being enrolled.' },
    active: { word: 'active', sentence: 'This device is in service.' },
    suspended: {
      word: 'suspended',
      sentence: 'This device is suspended: protected operations are refused until your administrator resumes it.',
    },
    replaced: { word: 'replaced', sentence: 'Another device has taken the place of this one. It only waits to be wiped.' },
    revoked: { word: 'revoked', sentence: 'This device has been revoked. That is final: it will not be trusted again.' },
    retired: { word: 'retired', sentence: 'This device has been retired from service. It only waits to be wiped.' },
    wiped: {
      word: 'wiped',
      sentence: 'This device has been wiped: its secrets are destroyed. Copies exported before are out of its reach.',
    },
  },
  nextSteps: {
    enrol: 'Enrol this device: `enigmctl enrol`.',
    'ask-administrator': 'Ask your administrator: only they can change the state of this device.',
    attest: 'Let the verifier check this device: `enigmctl attest now`.',
    'read-posture': 'See which findings do not hold, and what would change them: `enigmctl posture`.',
    nothing: 'Nothing needs to be done.',
  },
  limits: [
    'Posture is a signal, not a guarantee: it says what was measured, not that nothing is wrong.',
    'What a device claims is stated by its own software. That software was measured when it started; what happens inside it later is seen only in part.',
    'It does not replace end-to-end encryption, the protection of your account, or the care of your keys.',
    'It does not replace your own judgement of whom you trust, or your attention.',
    'It detects little harmful software: only programs whose system calls it is shown, and only calls in orders that ordinary programs do not make.',
    'Somebody with authorised access to the unlocked device may see what it shows.',
    'A remote wipe cannot reach copies that left the device before.',
    'Unsafe behaviour stays unsafe, also on a device whose findings all hold.',
    'It does not stop social engineering: a person can be talked into almost anything.',
    'It does not stop a trusted person who means harm, or who passes on what you shared.',
    'It says nothing about the device at the other end, which may be compromised.',
    'It cannot know of vulnerabilities that nobody has found yet.',
    'It cannot stop somebody from photographing or recording what is seen and heard.',
    'Weak operation defeats it: shared passwords, unattended devices, updates put off.',
  ],
};
