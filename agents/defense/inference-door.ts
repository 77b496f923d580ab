/** The inference program's handlers: which engine works, and what it says of windows. It holds nothing and keeps nothing. */
import { attempt, deny, ok, type Result } from '#hal/core/result';
import { unitsPerPoint } from '#hal/remote/inference-client';
import type { InferenceMethods } from '#hal/remote/inference-methods';
import type { Handlers } from '#hal/remote/methods';
import type { WorkingEngine } from './engines.ts';
import { openModel } from './model.ts';
import { scoreByTensors } from './tensors.ts';

/** @param probe loads and tests the engines; @param processor as Node.js calls it */
export const inferenceDoor = (probe: () => Promise<Result<WorkingEngine>>, processor: string): Handlers<InferenceMethods> => {
  let working: WorkingEngine | undefined;
  const tested = async (): Promise<Result<WorkingEngine>> => {
    const probed = await probe();
    working = probed.ok ? probed.value : undefined;
    return probed;
  };
  return {
    'inference.selfTest': async () => {
      const probed = await tested();
      return probed.ok ? ok(probed.value.report) : probed;
    },
    'inference.score': async ({ model: payload, windows }) => {
      const model = openModel(payload, processor);
      if (!model.ok) return model;
      const engine = working === undefined ? await tested() : ok(working);
      if (!engine.ok) return engine;
      const scored = attempt(
        () => scoreByTensors(engine.value.tensors, model.value, windows),
        (cause) => deny('unavailable', 'engine-missing', cause),
      );
      if (!scored.ok) return scored;
      const units = (points: number) => Math.round(points * unitsPerPoint);
      return ok({ windows: scored.value.map((scores) => ({ scores: scores.map(units) })) });
    },
  };
};
