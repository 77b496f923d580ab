import { beforeEach, describe, expect, test } from 'vitest';
import { deny, ok, type Result, unwrap } from '#hal/core/result';
import { nodeCrypto } from '#hal/crypto/node';
import { hybridKeyPair, hybridSign, hybridSignatureSuites } from '#hal/crypto/suites';
import { type VirtualClock, virtualClock } from '#hal/memory/clock';
import { seededRandom } from '#hal/memory/random';
import type { Counter } from '#hal/ports/tpm';
import { type AuditLog, openAuditLog } from './log.ts';
import { type AuditStore, openAuditStore } from './store.ts';

const { secretKey, publicKey } = hybridKeyPair(nodeCrypto, hybridSignatureSuites['enigm-ed25519-mldsa65'], seededRandom('start'));
const base = 7;

/** Hands that come and go while the log is opened: no fault of theirs is taken for tampering, and none hides it. */
describe('an audit log that starts while its hands are away (SR-14)', () => {
  let clock: VirtualClock;
  let disk: AuditStore;
  let counter: number;
  let areDown: boolean;
  beforeEach(() => {
    clock = virtualClock();
    disk = unwrap(openAuditStore(':memory:'));
    counter = base;
    areDown = false;
  });

  const answer = <T>(value: () => T): Result<T> => (areDown ? deny('unavailable', 'program-down') : ok(value()));
  const open = (store: Partial<AuditStore> = {}): Promise<AuditLog> =>
    openAuditLog({
      store: { ...disk, close: () => undefined, ...store },
      clock,
      crypto: nodeCrypto,
      bootId: new Uint8Array(16),
      keys: publicKey,
      sign: async (message) => answer(() => hybridSign(nodeCrypto, secretKey, message)),
      readCounter: async (): Promise<Result<Counter>> => answer(() => ({ value: counter, base })),
      advanceCounter: async () =>
        answer(() => {
          counter += 1;
          return { value: counter, base };
        }),
    });
  const record = (log: AuditLog) => log.record({ event: 'risk.engine', outcome: 'done' });

  test('is intact at the next start when they were away through all of the first one', async () => {
    areDown = true;
    const first = await open();
    expect((await record(first)).ok).toBe(true);
    expect(first.status()).toMatchObject({ state: 'degraded', size: 1 });
    // Killed here: records that are durable, and no checkpoint was ever anchored.
    areDown = false;
    const second = await open();
    expect(second.status()).toMatchObject({ state: 'intact', size: 1 });
    expect((await second.prove(0)).ok).toBe(true);
  });

  test('is intact when they come back, and what was recorded meanwhile is anchored', async () => {
    await (await open()).close();
    areDown = true;
    const log = await open();
    await record(log);
    areDown = false;
    await log.tend();
    expect(log.status()).toMatchObject({ state: 'intact', size: 1 });
    await log.close();
    expect((await open()).status().state).toBe('intact');
  });

  test.each<[string, () => Partial<AuditStore>]>([
    ['a record that was rewritten', () => ({ verify: () => deny('integrity', 'audit-tampered', 'record 0') })],
    [
      'a TPM that is ahead of the log',
      () => {
        counter += 1;
        return {};
      },
    ],
  ])('is not called intact over %s, once they are back', async (_, change) => {
    const log = await open();
    await record(log);
    await log.close();
    const changed = change();
    areDown = true;
    const again = await open(changed);
    expect(again.status().state).toBe('degraded');
    areDown = false;
    const before = counter;
    await again.tend();
    expect(again.status()).toMatchObject({ state: 'tampered', fault: { reason: 'audit-tampered' } });
    expect(counter).toBe(before);
  });

  test('is tampered without its checkpoints as soon as the TPM has counted one', async () => {
    const log = await open();
    await record(log);
    await log.close();
    expect((await open({ checkpoint: () => undefined })).status().state).toBe('tampered');
  });
});
