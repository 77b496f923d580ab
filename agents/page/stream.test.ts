import { describe, expect, test } from 'vitest';
import { virtualClock } from '#hal/memory/clock';
import { newBoard } from './board.ts';
import { eventIdOf, eventsOf } from './stream.ts';
import { samples } from './testing.ts';

const start = (lastEventId?: string) => {
  const clock = virtualClock();
  const board = newBoard(clock);
  board.hold(samples.good, 'nothing');
  const received: string[] = [];
  const ending = new AbortController();
  let looks = 0;
  const read = async () => {
    const renew = async () => {
      looks += 1;
    };
    for await (const text of eventsOf({ board, clock, renew }, lastEventId, ending.signal)) received.push(text);
  };
  const ended = read();
  const end = () => {
    ending.abort();
    return ended;
  };
  return { clock, board, received, end, looks: () => looks };
};

const dataOf = (text: string | undefined) => JSON.parse(/^data: (.*)$/m.exec(text ?? '')?.[1] ?? 'null');

describe('the event stream', () => {
  test('begins with the reconnection time and the page, without announcing what the reader has just loaded', async () => {
    const { clock, received, board, end } = start();
    await clock.advance(0);
    expect(received[0]).toBe('retry: 2000\n\n');
    expect(received[1]).toMatch(new RegExp(`^id: ${eventIdOf(board.view())}\\nevent: page\\ndata: .*\\n\\n$`));
    expect(dataOf(received[1])).toMatchObject({ title: 'As expected · Trust Security Center', announcement: '' });
    await end();
  });

  test('sends only the ages that changed while nothing else does, once a second', async () => {
    const { clock, received, end } = start();
    await clock.advance(3_500);
    const events = received.slice(2);
    expect(events).toHaveLength(3);
    for (const event of events) expect(event).toMatch(/^event: ages\ndata: /);
    expect(dataOf(events[2])).toContainEqual(['age-tpm', 'measured 3 s ago']);
    await clock.advance(61_000);
    // Whole minutes change once a minute; by then the programs have grown too old, which is a new page.
    expect(received.filter((text) => text.includes('event: page'))).toHaveLength(2);
    await end();
  });

  test('sends the page at once when it changed, and says what is different', async () => {
    const { clock, received, board, end } = start();
    await clock.advance(0);
    board.hold({ ...samples.reduced, measuredMs: 1 }, 'read-posture');
    await clock.advance(0);
    expect(dataOf(received.at(-1)).announcement).toContain('Kernel taint: fails.');
    await end();
  });

  test('sends nothing again that a reader has seen before its connection broke', async () => {
    const board = newBoard(virtualClock());
    board.hold(samples.good, 'nothing');
    const { clock, received, end } = start(eventIdOf(board.view()));
    await clock.advance(0);
    expect(received.filter((text) => text.includes('event: page'))).toEqual([]);
    expect(dataOf(received.at(-1))).toContainEqual(['age-tpm', 'measured 0 s ago']);
    await end();
  });

  test('tells a reader who comes back to another state what it is', async () => {
    const { clock, received, end } = start('an-older-state');
    await clock.advance(0);
    expect(dataOf(received[1]).announcement).toMatch(/^As expected\./);
    await end();
  });

  test('says before each look that somebody is watching, and ends with its signal', async () => {
    const { clock, looks, end } = start();
    await clock.advance(5_000);
    expect(looks()).toBe(6);
    await end();
    await clock.advance(5_000);
    expect(looks()).toBe(6);
  });
});
