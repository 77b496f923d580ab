/** Who wants to know when the posture changed. */
export interface Watchers {
  /** Something changed that a watcher may see. */
  notify(): void;
  /** Resolves at the next change, or when the signal aborts. */
  changed(signal: AbortSignal): Promise<void>;
}

export const watchers = (): Watchers => {
  const waiting = new Set<() => void>();
  return {
    notify() {
      const all = [...waiting];
      waiting.clear();
      for (const wake of all) wake();
    },
    changed: (signal) =>
      new Promise((resolve) => {
        if (signal.aborted) return resolve();
        const wake = () => {
          waiting.delete(wake);
          signal.removeEventListener('abort', wake);
          resolve();
        };
        waiting.add(wake);
        signal.addEventListener('abort', wake, { once: true });
      }),
  };
};
