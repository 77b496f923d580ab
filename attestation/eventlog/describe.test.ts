import { expect, test } from 'vitest';
import { unwrap } from '#hal/core/result';
import { describeEventLog } from './describe.ts';
import { separator, writeLog } from './sample.fixture.ts';

test('a log is described for people and scripts', () => {
  expect(JSON.stringify(unwrap(describeEventLog(writeLog([separator(7), separator(0)], ['sha1']))))).toBe(
    JSON.stringify({
      algorithms: ['sha1'],
      events: 3,
      pcrs: { sha1: { 0: 'b2a83b0ebf2f8374299a5b2bdfc31ea955ad7236', 7: 'b2a83b0ebf2f8374299a5b2bdfc31ea955ad7236' } },
    }),
  );
});

test('what is no log is refused', () => {
  expect(describeEventLog(new Uint8Array(3).fill(1))).toMatchObject({
    fault: { category: 'attestation', reason: 'log-malformed' },
  });
});
