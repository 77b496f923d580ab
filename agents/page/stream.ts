/** Server-sent events (WHATWG HTML §9.2) for one reader: the page whenever it changed, otherwise only its ages. */
import { createHash } from 'node:crypto';
import type { Clock } from '#hal/ports/clock';
import { announcementOf } from './announce.ts';
import type { Board } from './board.ts';
import { contentOf, titleOf } from './document.ts';
import type { PageView } from './view.ts';

export interface StreamParts {
  readonly board: Board;
  readonly clock: Clock;
  /** Called before each look: somebody is watching. */
  readonly renew: () => Promise<void>;
}

const tickMs = 1_000;
const retryMs = 2_000;

/**
 * Yields the text of events until the signal aborts.
 * @param lastEventId the state that the reader was shown before its connection broke; it is not sent that again
 */
export const eventsOf = async function* (
  { board, clock, renew }: StreamParts,
  lastEventId: string | undefined,
  signal: AbortSignal,
): AsyncGenerator<string> {
  let shown: PageView | undefined;
  let shownId = lastEventId;
  yield `retry: ${retryMs}\n\n`;
  while (!signal.aborted) {
    void renew();
    const view = board.view();
    const id = eventIdOf(view);
    if (id !== shownId) {
      // Whoever has just loaded the page was told everything by it; whoever comes back is told what is different.
      const announcement = shown === undefined && lastEventId === undefined ? '' : announcementOf(shown, view);
      yield event('page', { title: titleOf(view), html: contentOf(view).text, announcement }, id);
    } else {
      const ages = Object.entries(view.ages).filter(([name, text]) => shown?.ages[name] !== text);
      if (ages.length > 0) yield event('ages', ages);
    }
    shown = view;
    shownId = id;
    await tickOrChange(board, clock, signal);
  }
};

/** Names what is shown, ages aside: what looks the same has the same id. */
export const eventIdOf = (view: PageView): string =>
  createHash('sha256')
    .update(JSON.stringify({ ...view, ages: [] }))
    .digest('base64url')
    .slice(0, 22);

/** JSON has no line breaks of its own, so the data are one line. */
const event = (name: string, data: unknown, id?: string): string =>
  `${id === undefined ? '' : `id: ${id}\n`}event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;

const tickOrChange = async (board: Board, clock: Clock, signal: AbortSignal): Promise<void> => {
  const wait = new AbortController();
  const end = () => wait.abort();
  signal.addEventListener('abort', end, { once: true });
  await Promise.race([clock.sleep(tickMs, wait.signal), board.changed(wait.signal)]);
  signal.removeEventListener('abort', end);
  end();
};
