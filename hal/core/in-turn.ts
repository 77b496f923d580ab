/** @returns a runner of work that may not overlap: one piece after the other, whether the one before succeeded or not */
export const inTurn = (): (<T>(work: () => Promise<T>) => Promise<T>) => {
  let tail: Promise<unknown> = Promise.resolve();
  return (work) => {
    const next = tail.then(work, work);
    tail = next.catch(() => undefined);
    return next;
  };
};
