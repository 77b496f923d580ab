/** The door of the inference program to the mind. */
import type { Methods } from '#hal/remote/methods';

export const inferenceMethods = {
  'inference.selfTest': { request: 'Nothing', reply: 'EngineReport' },
  'inference.score': { request: 'ScoreRequest', reply: 'ScoreReply' },
} as const satisfies Methods;

export type InferenceMethods = typeof inferenceMethods;
