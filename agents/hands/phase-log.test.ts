import { expect, test } from 'vitest';
import { parseEventLog } from '#attestation/eventlog/parse';
import { replayBank } from '#attestation/eventlog/replay';
import { eventLogWriter } from '#attestation/eventlog/write';
import { openedPhase } from '#hal/core/boot-approval';
import { utf8 } from '#hal/core/bytes';
import { deny, ok, unwrap } from '#hal/core/result';
import { withPhase } from './phase-log.ts';

const image = { pcr: 11, type: 'EV_IPL', data: utf8('image') } as const;
const phase = { pcr: 11, type: 'EV_IPL', data: utf8(openedPhase) } as const;
const read = async (log: Uint8Array) => unwrap(await withPhase({ read: async () => ok(log) }).read());

test('a log goes on with the phase, in every bank that it has', async () => {
  const [firmware, whole] = [eventLogWriter(['sha1', 'sha256']), eventLogWriter(['sha1', 'sha256'])];
  firmware.add(image);
  for (const event of [image, phase]) whole.add(event);
  const gone = await read(firmware.bytes());
  expect(gone).toEqual(whole.bytes());
  expect(replayBank(unwrap(parseEventLog(gone)), 'sha256')).toEqual(replayBank(unwrap(parseEventLog(whole.bytes())), 'sha256'));
});

test('a log that is not there, or no log, stays as it is', async () => {
  for (const log of [new Uint8Array(), utf8('no log of any firmware, and longer than its first event would be')])
    expect(await read(log)).toEqual(log);
  const fault = deny('unavailable', 'storage-failed');
  expect(await withPhase({ read: async () => fault }).read()).toEqual(fault);
});
