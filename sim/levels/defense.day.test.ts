import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { codeOf, unwrap } from '#hal/core/result';
import { recordProgram } from '#sim/machine/syscalls';
import { workloads } from '#sim/machine/syscalls-workloads';
import type { Conclusion } from '#sim/peers/enyra';
import { makeReady, openTestWorld, type TestWorld } from './device.fixture.ts';

describe('Active Defense of a device of real processes', () => {
  let opened: TestWorld;
  let directory: string;
  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'enigm-workloads-'));
    opened = await openTestWorld('embedded');
    await makeReady(opened.world);
  });
  afterAll(async () => {
    await opened[Symbol.asyncDispose]();
    rmSync(directory, { recursive: true, force: true });
  });

  /** Runs a program now and shows its calls to the device. */
  const happens = async (name: string) => {
    const workload = workloads.find((one) => one.name === name) as (typeof workloads)[number];
    opened.world.device.observe(unwrap(await recordProgram(workload.recording(mkdtempSync(join(directory, name)), 0))));
    return unwrap(await opened.world.device.app.call('defense.status', {}));
  };
  const present = async (conclusion: Conclusion) => {
    const answered = await opened.world.device.app.call('intelligence.present', {
      envelope: opened.world.enyra.conclude(conclusion),
    });
    return answered.ok ? answered.value : codeOf(answered.fault);
  };

  test('judges what its programs do, and the engine in its own process says the same', async () => {
    await opened.world.until(
      'the engine is tested',
      async () => unwrap(await opened.world.device.app.call('defense.status', {})).engine !== undefined,
    );
    expect(await happens('notes')).toMatchObject({ category: 'none', opinion: 'agrees', modelVersion: 1 });
    expect(await happens('eraser')).toMatchObject({ category: 'tamper', opinion: 'agrees', guidance: 'restart-and-attest' });
    const { code, json } = await opened.world.device.enigmctl('defense');
    expect([code, json['category']]).toEqual([0, 'tamper']);
  });

  test('holds what the intelligence service says, also after its mind was killed, and blocks an app', async () => {
    expect(await present({ category: 'malware-like', app: 'an-app', isBlock: true })).toMatchObject({
      isBlock: true,
      app: 'an-app',
    });
    expect(await present({ category: 'low', issuedMs: 0 })).toBe('intelligence/outcome-expired');
    expect(await present({ category: 'low', handle: new Uint8Array(16) })).toBe('handle/outcome-of-another-device');
    opened.world.device.kill('agentd');
    await opened.world.until('the mind is back', async () => {
      const status = await opened.world.device.app.call('defense.status', {});
      return status.ok && status.value.outcomes.some(({ isBlock, app }) => isBlock && app === 'an-app');
    });
  });
});
