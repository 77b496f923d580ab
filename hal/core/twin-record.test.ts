import { expect, test } from 'vitest';
import { utf8 } from '#hal/core/bytes';
import { unwrap } from '#hal/core/result';
import { twinRecord, twinRecordBytes } from '#hal/core/twin-record';
import { memoryBlockDevice } from '#hal/memory/block-device';
import { memoryPower } from '#hal/memory/power';

const magic = 'ENIGMTST';

test('what a killed program had written is durable before it is believed: no power cut takes it back', async () => {
  const power = memoryPower();
  const device = memoryBlockDevice(twinRecordBytes, power);
  unwrap(await twinRecord(device, magic).write(utf8('old')));
  // Killed between its write and its flush: the copy is in the page cache, and nowhere else.
  const copies = memoryBlockDevice(twinRecordBytes);
  copies.load(device.durable());
  unwrap(await twinRecord(copies, magic).write(utf8('new')));
  unwrap(await device.write(0, copies.durable()));
  expect(Buffer.from(unwrap(await twinRecord(device, magic).read()) ?? []).toString()).toBe('new');
  power.cut({ atOperation: power.operations + 1, fate: 'dropped' });
  await device.flush();
  power.restore();
  expect(Buffer.from(unwrap(await twinRecord(device, magic).read()) ?? []).toString()).toBe('new');
});
