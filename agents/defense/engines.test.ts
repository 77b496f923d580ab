import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { fromBase64 } from '#hal/core/bytes';
import { codeOf, deny, ok, unwrap } from '#hal/core/result';
import { seededRandom } from '#hal/memory/random';
import { type CallWindow, windowLimits } from '#hal/ports/signals';
import { unitsPerPoint } from '#hal/remote/inference-client';
import { probeEngines, type WorkingEngine } from './engines.ts';
import { imageModel } from './image-model.ts';
import { inferenceDoor } from './inference-door.ts';
import { encodeModel, foreignCall, processor, testModel, withCalls } from './model.fixture.ts';
import { openModel } from './model.ts';
import { judgeWindow } from './score.ts';
import { compareOpinions, tolerance } from './second-opinion.ts';

const resources = join(dirname(createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm/package.json')), 'dist');
const { signal } = new AbortController();
const random = seededRandom('windows');
const anyCalls = (): readonly number[] => Array.from(random.bytes(128), (byte) => byte * 4);
const windows: readonly CallWindow[] = [
  withCalls(),
  ...Object.values(foreignCall).map((call) => withCalls([40, call])),
  ...Array.from({ length: windowLimits.held - 4 }, anyCalls),
].map((calls) => ({ app: 'an-app', calls }));

describe('the tensor engine', () => {
  let engine: WorkingEngine;
  beforeAll(async () => {
    engine = unwrap(await probeEngines(resources));
  });
  const door = () => inferenceDoor(async () => ok(engine), processor);
  const score = async (model: Uint8Array) => {
    const { windows: scored } = unwrap(await door()['inference.score']({ model, windows }, signal));
    return scored.map(({ scores }) => scores.map((units) => units / unitsPerPoint));
  };

  test('is one of the three', async () => {
    const { engine: name, version } = unwrap(await door()['inference.selfTest']({}, signal));
    expect(['tensorflow', 'wasm', 'cpu']).toContain(name);
    expect(version).toMatch(/^\d+\.\d+\.\d+$/);
  });

  test.each([
    ['a small model', encodeModel()],
    ['the model of the image', fromBase64(imageModel) ?? new Uint8Array()],
  ])('says the same of the same windows by %s: category, and score within a thousandth of a point', async (_, payload) => {
    const model = unwrap(openModel(payload, processor));
    const theirs = await score(payload);
    const ours = windows.map(({ calls }) => judgeWindow(model, calls));
    expect(theirs).toHaveLength(windowLimits.held);
    const difference = Math.max(
      ...ours.flatMap(({ scores }, row) => scores.map((points, output) => Math.abs(points - (theirs[row]?.[output] ?? 0)))),
    );
    expect(difference).toBeLessThan(tolerance);
    expect(compareOpinions(model, ours, theirs).ok).toBe(true);
  });

  test('has nothing to say of no windows', async () => {
    expect(unwrap(await door()['inference.score']({ model: encodeModel(), windows: [] }, signal)).windows).toEqual([]);
  });

  test('refuses a broken model, and says where no engine works', async () => {
    const broken = await door()['inference.score']({ model: encodeModel({ version: 0 }), windows }, signal);
    expect(broken.ok || codeOf(broken.fault)).toBe('intelligence/model-invalid');
    const none = inferenceDoor(async () => deny('unavailable', 'engine-missing'), processor);
    const asked = await none['inference.score']({ model: encodeModel(), windows }, signal);
    expect(asked.ok || codeOf(asked.fault)).toBe('unavailable/engine-missing');
  });

  test('is believed in nothing: another category, score or count is a difference', () => {
    const ours = windows.slice(0, 3).map(({ calls }) => judgeWindow(testModel, calls));
    const theirs = ours.map(({ scores }) => [...scores]);
    const compared = (other: readonly (readonly number[])[]) => {
      const result = compareOpinions(testModel, ours, other);
      return result.ok || codeOf(result.fault);
    };
    const changed = (output: number, by: number) =>
      theirs.map((scores, row) => (row === 1 ? scores.map((points, at) => (at === output ? points + by : points)) : scores));
    expect(compared(theirs)).toBe(true);
    expect(compared(changed(0, tolerance / 2))).toBe(true);
    expect(compared(changed(0, tolerance * 2))).toBe('intelligence/opinions-differ');
    expect(compared(theirs.slice(1))).toBe('intelligence/opinions-differ');
    expect(compared(theirs.map((scores) => scores.slice(1)))).toBe('intelligence/opinions-differ');
    expect(compared(theirs.map((scores) => scores.map(() => Number.NaN)))).toBe('intelligence/opinions-differ');
  });
});
