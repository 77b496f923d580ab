/**
 * Which model judges: the newest of the one in the image and those taken since. A lower version is never taken again,
 * and one version means one content, so that nobody talks a device back into a model that knows less.
 */
import { equalBytes } from '#hal/core/bytes';
import { codeOf, deny, ok, type Result } from '#hal/core/result';
import type { DurableStore } from '#hal/ports/durable-store';
import type { Log } from '#hal/ports/log';
import { type Model, openModel } from './model.ts';

/** The class of target that models are published as, under keys of their own (SR-03). */
export const modelClass = 'models';

export interface Models {
  /** Undefined where there is none for this processor. */
  current(): Model | undefined;
  /**
   * @param payload of a target of class `models`, whose signatures, length and hashes were verified
   * @returns a fault of `openModel`, `policy/stale`, `policy/version-reused`
   */
  take(payload: Uint8Array): Result<Model>;
}

export interface ModelsParts {
  readonly store: Pick<DurableStore, 'get' | 'put'>;
  readonly log: Log;
  /** Payload of the model of the image. */
  readonly image: Uint8Array;
  /** As Node.js calls it. */
  readonly processor: string;
}

const key = 'model';

export const openModels = ({ store, log, image, processor }: ModelsParts): Models => {
  const opened = openModel(image, processor);
  if (!opened.ok) log.warn('model.unusable', { code: codeOf(opened.fault) });
  let current = opened.ok ? opened.value : undefined;

  const mayFollow = (next: Model): Result<Model> => {
    if (current === undefined || next.version > current.version) return ok(next);
    if (next.version < current.version) return deny('policy', 'stale', `model ${next.version} is below ${current.version}`);
    return equalBytes(next.digest, current.digest) ? ok(next) : deny('policy', 'version-reused', `model ${next.version}`);
  };
  const openNext = (payload: Uint8Array): Result<Model> => {
    const next = openModel(payload, processor);
    return next.ok ? mayFollow(next.value) : next;
  };

  const stored = store.get(key);
  if (stored.ok && stored.value !== undefined) {
    const kept = openNext(stored.value);
    // One that the image has overtaken is no fault; one that cannot be read leaves the model of the image.
    if (kept.ok) current = kept.value;
    else log.warn('model.not-kept', { code: codeOf(kept.fault) });
  } else if (!stored.ok) log.error('model.unreadable', { code: codeOf(stored.fault) });

  return {
    current: () => current,
    take(payload) {
      const next = openNext(payload);
      if (!next.ok) return next;
      const written = store.put(key, payload);
      if (!written.ok) return written;
      current = next.value;
      return next;
    },
  };
};
