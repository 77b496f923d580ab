/**
 * enigm-beacond, the beacon relay: from the line of the Enigm Key to the courier that reaches contacts (SR-11).
 *
 * It starts first, needs nobody else, and asks for no posture, policy, lifecycle, audit or engine. Hands, mind and mouth
 * may be dead, stopped or owned: sealed alerts go out and answers come in by a path that is theirs alone. It has no TPM,
 * no decision and no key of an alert; its addon is the one of `serialport`, which lies beside the bundle.
 *
 * What it shares with the Key is sealed on disk. It asks the hands once for the key of that; until they answer it does
 * not talk to the Key, and carries alerts all the same.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ContactBook, contactsRecord } from '#agents/beacon/contacts';
import { courierEndpoint, MailCourier } from '#agents/beacon/courier';
import { beaconDoor } from '#agents/beacon/door';
import { openedOrAnew } from '#agents/beacon/kept-aside';
import { beaconMethods } from '#agents/beacon/methods';
import { PairingKeeper } from '#agents/beacon/pairing-keeper';
import { askStorageKey } from '#agents/beacon/storage-key';
import { parseBeaconSite } from '#agents/management/beacon-site';
import { KeyHost } from '#firmware-key/host/key-host';
import { AlertQueue, alertsRecord } from '#firmware-key/host/queue';
import { keyCrypto } from '#firmware-key/runtime/key-crypto';
import { unwrap } from '#hal/core/result';
import { nodeCrypto } from '#hal/crypto/node';
import { linuxClock } from '#hal/linux/clock';
import { openDurableStore } from '#hal/linux/durable-store';
import { httpsExchange } from '#hal/linux/https-exchange';
import { systemRandom } from '#hal/linux/random';
import { linuxSerialLinks } from '#hal/linux/serial-link';
import type { DurableStore } from '#hal/ports/durable-store';
import type { Random } from '#hal/ports/random';
import { dispatcher } from '#hal/remote/dispatcher';
import { serveSocket } from '#hal/remote/socket-server';
import { deviceLayout, socketPath } from './layout.ts';
import { aborted, exitCode, runProgram } from './runtime.ts';

/** Shorter than that of others: a courier that hangs must not hold up the next message for long. */
const courierTimeoutMs = 5_000;

/** Where answers wait for this relay: chance, kept. */
const mailboxIn = (store: DurableStore, random: Random): Uint8Array => {
  const kept = unwrap(store.get('mailbox'));
  if (kept !== undefined) return kept;
  const mailbox = random.bytes(16);
  unwrap(store.put('mailbox', mailbox));
  return mailbox;
};

runProgram('enigm-beacond', ['directory', 'run'], async ({ options, log, signal, ready }) => {
  const layout = deviceLayout(options.directory);
  const { link, courier: endpoint } = unwrap(parseBeaconSite(readFileSync(layout.site, 'utf8')));
  const clock = linuxClock();
  const random = systemRandom;
  const store = unwrap(openDurableStore(join(layout.beacon, 'beacon.db')));
  const askKey = askStorageKey(nodeCrypto, random, socketPath(options.run, 'relay'));
  const pairing = PairingKeeper.open({ store, crypto: nodeCrypto, random, clock, log, askKey });
  const courier: MailCourier = new MailCourier({
    exchange: httpsExchange({ [courierEndpoint]: endpoint }, { timeoutMs: courierTimeoutMs }),
    mailbox: mailboxIn(store, random),
    clock,
    onAnswer: (answer) => host.answer(answer),
  });
  const host: KeyHost = new KeyHost({
    links: linuxSerialLinks({ path: link }),
    side: (use) => pairing.side(use),
    // The host's half of a session needs no device key: PINs are the Key's.
    crypto: keyCrypto(nodeCrypto, new Uint8Array(32), 1),
    queue: unwrap(openedOrAnew(store, alertsRecord, AlertQueue.open, log)),
    courier,
    clock,
    random,
    log,
  });
  const door = dispatcher(
    beaconMethods,
    beaconDoor({
      host,
      pairing,
      contacts: unwrap(openedOrAnew(store, contactsRecord, ContactBook.open, log)),
      courier: (callSignal) => courier.probe(callSignal),
    }),
  );
  const working = Promise.all([host.run(signal), courier.run(signal), pairing.run(signal)]);
  const server = unwrap(await serveSocket(door, { path: socketPath(options.run, 'beacon'), log }));
  ready();
  await Promise.race([aborted(signal), working]);
  await server.close();
  return exitCode.done;
});
