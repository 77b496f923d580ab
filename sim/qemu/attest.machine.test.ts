/** Remote Attestation of the real machine: what its own build says it measures is what counts. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ReferenceSet } from '#attestation/references';
import { unwrap } from '#hal/core/result';
import { systemRandom } from '#hal/linux/random';
import type { BuiltImage } from '#sim/image/build';
import { partitionNamed } from '#sim/image/disk';
import { sectorBytes } from '#sim/image/gpt';
import { imageReferences } from '#sim/image/references';
import { openPeerSecrets, type PeerSecrets } from '#sim/peers/secrets';
import { startVerifier, type VerifierPeer } from '#sim/peers/verifier';
import { writeSite } from './device.ts';
import {
  buildTestImage,
  clock,
  started,
  type TestDevice,
  testDevice,
  withoutSecureBoot,
  writePartition,
} from './machine.fixture.ts';
import type { RunningMachine } from './machine.ts';
import { siteOf } from './site.ts';

describe('a real machine', () => {
  const peers = mkdtempSync(join(tmpdir(), 'enigm-peers-'));
  let image: BuiltImage;
  let secrets: PeerSecrets;
  let verifier: VerifierPeer;
  const live: ReferenceSet[] = [];
  beforeAll(async () => {
    image = await buildTestImage();
    secrets = await openPeerSecrets(peers, clock, systemRandom);
    verifier = await startVerifier({
      ...{ directory: peers, secrets, clock, random: systemRandom, requiresSecureBoot: true },
      references: () => live,
    });
    live.push(imageReferences('this-build', image.uki, image.keys));
  });
  afterAll(async () => {
    await verifier.close();
    rmSync(peers, { recursive: true, force: true });
  });

  const newDevice = async (): Promise<TestDevice> => {
    const made = await testDevice(secrets.tpmMaker);
    writeSite(made.device, siteOf(verifier.url, secrets));
    return made;
  };
  const asked = async (machine: RunningMachine, words: string): Promise<Readonly<Record<string, unknown>>> => {
    const said = unwrap(await machine.shell(`node --no-warnings /usr/lib/enigm/enigmctl.cjs --json ${words}`));
    return JSON.parse(said.split('\n').findLast((line) => line.startsWith('{')) ?? '{}') as Record<string, unknown>;
  };
  const provisioned = async (machine: RunningMachine) => {
    unwrap(await machine.shell('until [ -S /run/enigm/factory.sock ]; do sleep 0.1; done'));
    return asked(machine, 'provision --technician ada');
  };
  /** Provisions and enrols, as a technician does at the machine's own door. */
  const attested = async (machine: RunningMachine): Promise<Readonly<Record<string, unknown>>> => {
    expect(await provisioned(machine)).toMatchObject({ isProvisioned: true });
    const statusOf = 'node --no-warnings /usr/lib/enigm/enigmctl.cjs --json status';
    unwrap(await machine.shell(`until ${statusOf} | grep -q '"lifecycle":"unenrolled"'; do sleep 0.5; done`));
    return asked(machine, 'enrol');
  };

  test('is affirmed by the values that its build knew (SR-07)', async () => {
    using made = await newDevice();
    await using machine = await started(made.device);
    expect(await attested(machine)).toMatchObject({ status: 'affirming', tpmClass: 'software' });
  });

  test('that was started from another build is authentic bad news', async () => {
    using made = await newDevice();
    const other = await buildTestImage(join(peers, 'image'), ['enigm.other=1']);
    await writePartition(made.device, partitionNamed('esp-a').startSector * sectorBytes, other.boot);
    await using machine = await started(made.device);
    expect(unwrap(await machine.shell('cat /proc/cmdline'))).toContain('enigm.other=1');
    expect(await attested(machine)).toMatchObject({ fault: { category: 'attestation' } });
  });

  test('whose firmware does not enforce signatures opens no data, so there is nothing to attest with (SR-07)', async () => {
    using made = await newDevice();
    withoutSecureBoot(made.device);
    await using machine = await started(made.device);
    expect(await provisioned(machine)).toMatchObject({ fault: { category: 'integrity', reason: 'data-closed' } });
  });
});
