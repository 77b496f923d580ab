import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'vitest';
import { tpmProvider } from '#agents/supervisor/tpm-provider';
import { breaks } from '#sim/scenarios/breaks';
import { day } from '#sim/scenarios/day';
import { liveDay, nothingIsLeft, temporaryHome } from './simulator.fixture.ts';

/** As the device says of it, and as Command sees it (SR-02). */
const connectionKey = existsSync(tpmProvider.module) ? 'in-tpm, p256' : 'software, ed25519';
const stepNames = day.map(({ step }) => step);

describe('one day of a device, in real processes', () => {
  test.concurrent('ends as it should on a new device, and again on the same one', async ({ expect }) => {
    using home = temporaryHome();
    const first = await liveDay(home.path);
    expect(first.said).toBe('');
    expect(first.steps.map(({ step, outcome }) => `${step} ${outcome}`)).toEqual(stepNames.map((step) => `${step} ok`));
    expect(first.code).toBe(0);
    const evidence = Object.fromEntries(first.steps.map((line) => [line.step, line.evidence]));
    expect(evidence).toMatchObject({
      provision: { isNew: true, receipt: 'verified' },
      enrol: { isNew: true, lifecycle: 'active', tpmClass: 'software' },
      boot: { isNewBoot: true, oracle: expect.stringMatching(/agrees|not installed/) },
      attest: { status: 'affirming', level: 'basic' },
      authenticate: { before: 'identity/actor-missing', after: 'identity/session-missing' },
      session: {
        onSecondDevice: 'handle/session-of-another-device',
        decisionThere: 'handle/session-of-another-device',
        duringRecovery: 'identity/recovery-pending',
        afterRecovery: 'allowed',
      },
      posture: { decision: 'allowed', withOneProgramStopped: 'posture/programs-unhealthy', reboot: 'by permit' },
      policy: { connectionKey },
      intelligence: { toldUnapproved: 'nothing', toldApproved: expect.stringMatching(/^(none|low) weak, by one model$/) },
      emergency: {
        asleep: 'a day of the Key: 0 bytes on the line, 0 positions',
        laterPlaceKey: 'opens nothing',
        laterPlaceHost: 'opens nothing',
        laterPlaceContacts: 'integrity/decryption-failed integrity/decryption-failed',
      },
    });
    expect(evidence['posture']?.['findings']).toBeGreaterThanOrEqual(12);
    expect(evidence['handle']?.['account']).not.toBe(evidence['handle']?.['command']);
    // Every category that there is has a record.
    expect(evidence['handle']?.['auditCategories']).toBe(
      'administration authorization intelligence lifecycle network posture release verification',
    );
    nothingIsLeft(home.path);

    const again = await liveDay(home.path);
    expect(again.code).toBe(0);
    expect(again.steps[0]?.evidence).toMatchObject({ isNew: false });
    expect(again.steps[1]?.evidence).toMatchObject({ isNew: false });
    expect(Number(again.summary['auditRecords'])).toBeGreaterThan(Number(first.summary['auditRecords']));
    nothingIsLeft(home.path);
  });

  test.concurrent('ends as it should with a TPM in a process of its own', async ({ expect }) => {
    using home = temporaryHome();
    const run = await liveDay(home.path, '--tpm', 'swtpm');
    expect(run.said).toBe('');
    expect(run.steps.find(({ step }) => step === 'policy')?.evidence).toMatchObject({ connectionKey });
    expect(run.code).toBe(0);
    nothingIsLeft(home.path);
  });

  // A day mostly waits: two at a time.
  test.concurrent.for(Object.entries(breaks))(
    'sabotage %s is refused at its step with its code, and nothing recorded is lost',
    async ([name, { step, code }], { expect }) => {
      using home = temporaryHome();
      const run = await liveDay(home.path, '--break', name);
      const last = run.steps.at(-1);
      expect(`${last?.step} ${last?.fault?.category}/${last?.fault?.reason}`).toBe(`${step} ${code}`);
      expect(run.steps.slice(0, -1).every(({ outcome }) => outcome === 'ok')).toBe(true);
      expect(run.summary).toMatchObject({ outcome: 'refused', break: name, isAsExpected: true });
      expect(Number(run.summary['auditRecords'])).toBeGreaterThan(5);
      expect(run.code).toBe(3);
      nothingIsLeft(join(home.path, 'break', name));
    },
  );
});
