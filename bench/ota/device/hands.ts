/** The hands of an update, behind their door: slots, journal and boot record as files. Every permit is good. */
import { join } from 'node:path';
import { keptStatements } from '#agents/hands/kept-statements';
import { logOfReleases } from '#agents/hands/log-of-releases';
import { slotUpdates } from '#agents/hands/updates';
import { bootRecordStore, recordedBootControl } from '#hal/core/boot-record';
import { fromHex } from '#hal/core/bytes';
import { done, ok, unwrap } from '#hal/core/result';
import { nodeCrypto } from '#hal/crypto/node';
import { linuxBlockDevice, linuxSlots } from '#hal/linux/block-device';
import { linuxClock } from '#hal/linux/clock';
import { memoryStore } from '#hal/memory/durable-store';
import { memoryLog } from '#hal/memory/log';
import { nativeBlockDigests } from '#hal/native/block-digests';
import { dispatcher } from '#hal/remote/dispatcher';
import { handsMethods } from '#hal/remote/hands-methods';
import { serveSocket } from '#hal/remote/socket-server';
import { updateHandlers } from '#hal/remote/update-door';
import { ledgerStore } from '#ota-client/slots/ledger';
import { readCustodians } from './custodians.ts';
import { configuration, report } from './program.ts';

const { run, media, runningRoot, custodians, hardware, addon } = configuration();
const boot = bootRecordStore(unwrap(await linuxBlockDevice(media.boot, 'write')));
const running = { slot: 'a', verityRoot: fromHex(runningRoot) ?? new Uint8Array() } as const;
const ports = slotUpdates({
  slots: linuxSlots(media),
  boot: recordedBootControl(boot, async () => ok(running)),
  ledger: ledgerStore(unwrap(await linuxBlockDevice(media.journal, 'write'))),
  floor: { read: async () => ok(1), raise: async () => done },
  statements: keptStatements(memoryStore()),
  policies: [{ crypto: nodeCrypto, hardware, threshold: 2, keys: readCustodians(custodians), isRepair: false }],
  log: logOfReleases(nodeCrypto, undefined, memoryStore(), memoryLog()),
  clock: linuxClock(),
  soakMs: 0,
  digestsFor: unwrap(nativeBlockDigests(addon, 'release')),
  probes: [],
});
const handlers = updateHandlers(ports);
const methods = Object.fromEntries(Object.entries(handsMethods).filter(([name]) => name in handlers)) as Pick<
  typeof handsMethods,
  keyof typeof handlers
>;
const door = dispatcher(methods, handlers, { guard: () => done });
unwrap(await serveSocket(door, { path: join(run, 'hands.sock'), log: memoryLog() }));
report();
