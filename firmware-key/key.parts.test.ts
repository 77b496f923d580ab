/** The Key's script in QuickJS behind a real pseudo-terminal, and the host on `serialport`: dormant, pressed, ended. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { ptyPair } from '#hal/contract/pty.fixture';
import { toHex } from '#hal/core/bytes';
import { done, unwrap } from '#hal/core/result';
import { nodeCrypto } from '#hal/crypto/node';
import { linuxClock } from '#hal/linux/clock';
import { linuxSerialLinks } from '#hal/linux/serial-link';
import { memoryStore } from '#hal/memory/durable-store';
import { seededRandom } from '#hal/memory/random';
import { keyScript } from './bundle.ts';
import { Contact, type News } from './contact/contact.ts';
import type { Happening } from './core/inputs.ts';
import { HostSide } from './host/host-side.ts';
import { KeyHost } from './host/key-host.ts';
import { AlertQueue } from './host/queue.ts';
import { Board } from './runtime/board.ts';
import { memoryPages, pairedFlash } from './runtime/flash.ts';
import { keyCrypto } from './runtime/key-crypto.ts';
import { compileKey, quickJsCore } from './runtime/quickjs.ts';
import { secureSide } from './runtime/secure-side.ts';

const log = { info: () => undefined, warn: () => undefined, error: () => undefined };

test('an emergency over a real line', async () => {
  const pty = await ptyPair();
  const random = seededRandom('parts');
  const wasm = readFileSync(createRequire(import.meta.url).resolve('quickjs-wasi/quickjs.wasm'));
  const bytecode = await compileKey({ wasm, script: await keyScript() });
  const cardSecret = random.bytes(16);
  const secure = secureSide({ backend: nodeCrypto, random, store: memoryStore(), transport: 'serial', pinRounds: 4, cardSecret });
  const core = await quickJsCore(wasm, bytecode, secure.crypto);
  const written: Uint8Array[] = [];
  /** The Key's own clock, which the test moves: nobody waits a minute here. */
  let keyMs = 0;
  const board: Board = new Board({
    core,
    secure,
    random,
    flash: pairedFlash(memoryPages()),
    outputs: {
      haptic: () => undefined,
      advertise: () => undefined,
      write: (bytes) => {
        written.push(bytes);
        pty.write(bytes);
      },
      locate: () => queueMicrotask(() => give({ is: 'fix', latitudeE7: 1, longitudeE7: 2, accuracyM: 3 })),
    },
  });
  const give = (happening: Happening): void => board.give(happening, keyMs);
  const later = (ms: number): void => {
    for (const untilMs = keyMs + ms; keyMs < untilMs; ) {
      keyMs = Math.min(untilMs, board.wakeMs ?? untilMs);
      give({ is: 'tick' });
    }
  };
  pty.onBytes((bytes) => give({ is: 'received', bytes }));
  board.boot(keyMs);

  const secrets = { id: random.bytes(16), seed: random.bytes(32), psk: random.bytes(32) };
  const contact = new Contact(nodeCrypto, random, secrets);
  const news: News['is'][] = [];
  const side = HostSide.open({ backend: nodeCrypto, random, store: memoryStore(), transport: 'serial' });
  const host: KeyHost = new KeyHost({
    links: linuxSerialLinks({ path: pty.path }),
    side: async () => side,
    crypto: keyCrypto(nodeCrypto, new Uint8Array(32), 1),
    queue: unwrap(AlertQueue.open(memoryStore())),
    courier: {
      async deliver(to, message) {
        if (toHex(to) !== toHex(secrets.id)) return done;
        const received = contact.receive(message, keyMs);
        if (received.ok) news.push(received.value.news.is);
        if (received.ok && received.value.ack !== undefined) await host.answer(received.value.ack);
        return done;
      },
    },
    clock: linuxClock(),
    random,
    log,
  });
  const stop = new AbortController();
  const running = host.run(stop.signal);
  const until = async (isSo: () => boolean): Promise<void> => {
    for (let tries = 0; !isSo() && tries < 500; tries++) await delay(10);
    expect(isSo()).toBe(true);
  };
  try {
    await until(() => host.isOpen);
    give({ is: 'cable', isPresent: true });
    unwrap(await host.pair(cardSecret, stop.signal));
    const put = {
      type: 'contact-put',
      contact: secrets.id,
      tier: 1,
      isNamed: true,
      psk: secrets.psk,
      publicKey: contact.publicKey,
    } as const;
    unwrap(await host.order(put, stop.signal));
    unwrap(await host.order({ type: 'pins', cancel: Uint8Array.of(1, 2, 3, 4), duress: Uint8Array.of(4, 3, 2, 1) }, stop.signal));
    expect(unwrap(await host.status(stop.signal))).toMatchObject({ state: 'bound', contacts: 1, hasPins: true });
    unwrap(await host.order({ type: 'release' }, stop.signal));
    expect(board.powered).toEqual([]);

    const silent = written.length;
    later(3_600_000);
    await delay(50);
    expect(written.length).toBe(silent);

    give({ is: 'button', button: 'sos', isDown: true });
    later(6_000);
    give({ is: 'button', button: 'sos', isDown: false });
    later(12_000);
    await until(() => news.includes('position'));
    give({ is: 'digits', digits: Uint8Array.of(1, 2, 3, 4) });
    await until(() => news.at(-1) === 'ended');
    await until(() => board.powered.length === 0);
    expect(news).toEqual(['opened', 'position', 'ended']);
    expect([board.refused, core.usedBytes() < 300 * 1024]).toEqual([0, true]);
  } finally {
    stop.abort();
    await pty.end();
    await running;
    core.close();
  }
});
