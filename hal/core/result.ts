/** Expected refusals are values; programmer errors throw. */
import { type Category, explain, type Reason } from '#hal/core/faults';

export type Result<T> = Success<T> | Failure;
export interface Success<T> {
  readonly ok: true;
  readonly value: T;
}
export interface Failure {
  readonly ok: false;
  readonly fault: Fault;
}
export interface Fault {
  readonly category: Category;
  /** Stable slug; may leave the device. */
  readonly reason: string;
  /** For the local log only: never sent, never protected content. */
  readonly detail?: string;
}

export const ok = <T>(value: T): Success<T> => ({ ok: true, value });
export const done: Success<void> = ok(undefined);

/** Refuse with a reason that stands in the table of `faults.ts`; any other does not compile. */
export const deny = <C extends Category>(category: C, reason: Reason<C>, detail?: string): Failure => ({
  ok: false,
  fault: detail === undefined ? { category, reason } : { category, reason, detail },
});

/** `category/reason`, the only form in which a refusal leaves the device (SR-10). */
export const codeOf = (fault: Fault): string => `${fault.category}/${fault.reason}`;

/** A fault that came over a wire: known codes are kept, anything else becomes `protocol/malformed`. */
export const faultFrom = (category: string, reason: string): Fault =>
  explain(`${category}/${reason}`) === undefined
    ? { category: 'protocol', reason: 'malformed', detail: 'unknown fault code' }
    : { category: category as Category, reason };

/** Wrap a third party's throw once, at the edge; the cause stays in `detail`, for the local log. */
export const attempt = <T>(run: () => T, otherwise: (cause: string) => Failure): Result<T> => {
  try {
    return ok(run());
  } catch (error) {
    return otherwise(causeOf(error));
  }
};

export const attemptAsync = async <T>(run: () => Promise<T>, otherwise: (cause: string) => Failure): Promise<Result<T>> => {
  try {
    return ok(await run());
  } catch (error) {
    return otherwise(causeOf(error));
  }
};

export const causeOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** The value, or a throw: for set-up and tests, where a refusal is a programmer's error. */
export const unwrap = <T>(result: Result<T>): T => {
  if (result.ok) return result.value;
  throw new Error(`${codeOf(result.fault)}${result.fault.detail === undefined ? '' : `: ${result.fault.detail}`}`);
};
