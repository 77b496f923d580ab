/**
 * A machine whose clock is wrong, by a jump and from its first moment on: what it decides rests on signed time, and it
 * comes to its far ends again (SR-16).
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { unwrap } from '#hal/core/result';
import { systemRandom } from '#hal/linux/random';
import { imageReferences } from '#sim/image/references';
import { openPeerSecrets } from '#sim/peers/secrets';
import { startVerifier, type VerifierPeer } from '#sim/peers/verifier';
import { writeSite } from './device.ts';
import { buildTestImage, clock, healthy, started, type TestDevice, testDevice } from './machine.fixture.ts';
import type { RunningMachine } from './machine.ts';
import { siteOf } from './site.ts';

const [longAgo, farAhead] = [Date.UTC(2001, 1, 3), Date.UTC(2099, 0, 1)];
const minuteMs = 60_000;
const affirming = { status: 'affirming' };
const catchUpWithinMs = 3 * minuteMs;

describe('a machine whose clock is wrong', () => {
  const peers = mkdtempSync(join(tmpdir(), 'enigm-peers-'));
  let verifier: VerifierPeer;
  let made: TestDevice;
  beforeAll(async () => {
    const image = await buildTestImage();
    const secrets = await openPeerSecrets(peers, clock, systemRandom);
    verifier = await startVerifier({
      ...{ directory: peers, secrets, clock, random: systemRandom, requiresSecureBoot: true },
      references: () => [imageReferences('this-build', image.uki, image.keys)],
    });
    made = await testDevice(secrets.tpmMaker);
    writeSite(made.device, siteOf(verifier.url, secrets));
  });
  afterAll(async () => {
    made?.[Symbol.dispose]();
    await verifier?.close();
    rmSync(peers, { recursive: true, force: true });
  });

  const shows = async (machine: RunningMachine) => Number(unwrap(await machine.shell('date +%s'))) * 1000;
  const asked = async (machine: RunningMachine, words: string): Promise<unknown> => {
    const said = unwrap(await machine.shell(`enigmctl --json ${words}`));
    return JSON.parse(said.split('\n').findLast((line) => line.startsWith('{')) ?? '{}');
  };
  const untilIs = async (machine: RunningMachine, lifecycle: string) =>
    unwrap(await machine.shell(`until enigmctl --json status | grep -q '"lifecycle":"${lifecycle}"'; do sleep 0.5; done`));
  /** Without the connection that it still has to its far end. */
  const afterNewMouth = async (machine: RunningMachine) => {
    unwrap(await machine.shell('kill -9 $(busybox pidof enigm-linkd)'));
    unwrap(await machine.shell('until ! enigmctl --json attest now | grep -q program-down; do sleep 0.5; done'));
    return asked(machine, 'attest now');
  };

  /**
   * A software TPM keeps its clock in memory until something else is written: after a power cut it may lie behind for a while,
   * and says that it is safe. That is what a TPM that was put back says too, so it is refused until it has caught up.
   */
  const attested = async (machine: RunningMachine) => {
    const isBehind = `enigmctl --json attest now > /tmp/said; grep -q clock-rollback /tmp/said`;
    unwrap(await machine.shell(`while ${isBehind}; do sleep 1; done`, catchUpWithinMs));
    return asked(machine, 'attest now');
  };

  test('by a jump over decades forgets nothing, and says by which clock its far end cannot be believed', async () => {
    await using machine = await started(made.device);
    unwrap(await machine.shell('until [ -S /run/enigm/factory.sock ]; do sleep 0.1; done'));
    expect(await asked(machine, 'provision --technician ada')).toMatchObject({ isProvisioned: true });
    await untilIs(machine, 'unenrolled');
    expect(await asked(machine, 'enrol')).toMatchObject(affirming);
    for (const jump of [farAhead, longAgo]) {
      unwrap(await machine.setClock(jump));
      expect(await asked(machine, 'status')).toMatchObject({ lifecycle: 'active', auditState: 'intact' });
      expect(await afterNewMouth(machine)).toMatchObject({ fault: { category: 'unavailable', reason: 'certificate-time' } });
    }
    unwrap(await machine.setClock(clock.nowMs()));
    expect(await asked(machine, 'attest now')).toMatchObject(affirming);
    await machine.shell('sync');
    await machine.powerCut();
  });

  test.each([
    ['at its beginning', longAgo],
    ['beyond the life of its software', farAhead],
  ])('that stands %s at power-on shows the newest signed time, and attests', async (_, clockBaseMs) => {
    const signedMs = clock.nowMs();
    await using machine = await started(made.device, { clockBaseMs });
    await healthy(machine);
    expect(Math.abs((await shows(machine)) - signedMs)).toBeLessThan(10 * minuteMs);
    await untilIs(machine, 'active');
    expect(await attested(machine)).toMatchObject(affirming);
    await machine.shell('sync');
    await machine.powerCut();
  });
});
