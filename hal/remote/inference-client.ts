/** The mind's side of the inference program's door. */
import { ok } from '#hal/core/result';
import type { Inference } from '#hal/ports/inference';
import type { InferenceMethods } from '#hal/remote/inference-methods';
import type { Client } from '#hal/remote/methods';

/** Points travel as whole millionths. */
export const unitsPerPoint = 1_000_000;

export const remoteInference = (client: Client<InferenceMethods>): Inference => ({
  selfTest: () => client.call('inference.selfTest', {}),
  score: async (model, windows) => {
    const answer = await client.call('inference.score', { model, windows });
    return answer.ok ? ok(answer.value.windows.map(({ scores }) => scores.map((units) => units / unitsPerPoint))) : answer;
  },
});
