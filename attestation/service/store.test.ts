import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ClockInfo } from '#hal/tpm/attest';
import { type DeviceRecord, type HandleBinding, sqliteVerifierStore, type VerifierStore } from './store.ts';

const bytes = (fill: number, length = 16) => new Uint8Array(length).fill(fill);
const clock: ClockInfo = { clockMs: 5_000n, resetCount: 3, restartCount: 1, isSafe: true };

/** A record of the TPM `tpm`. */
const record = (id: number, tpm = id): DeviceRecord => ({
  id: bytes(id),
  endorsementTag: bytes(tpm, 32),
  attestationKey: bytes(id, 65),
  postQuantumKey: bytes(id, 1952),
  tpmClass: 'software',
  state: 'active',
  clock,
});
const enrolment = (handle: number, epoch = 1): HandleBinding => ({ relyingParty: 'enrolment', epoch, handle: bytes(handle) });

describe('what a verifier remembers', () => {
  let directory: string;
  let store: VerifierStore;
  const reopen = () => {
    store.close();
    store = sqliteVerifierStore(join(directory, 'verifier.db'));
  };
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'enigm-verifier-'));
    store = sqliteVerifierStore(join(directory, 'verifier.db'));
  });
  afterEach(() => {
    store.close();
    rmSync(directory, { recursive: true });
  });

  test('a device is found again as it was written, also after a restart; no other is found', () => {
    expect(store.enrol(record(1), enrolment(1))).toBe(true);
    reopen();
    const found = store.device(bytes(1));
    expect({ ...found, id: [...(found?.id ?? [])] }).toMatchObject({
      id: [...bytes(1)],
      tpmClass: 'software',
      state: 'active',
      clock,
    });
    expect(store.device(bytes(2))).toBeUndefined();
  });

  test.each([0n, 2n ** 53n + 1n, 2n ** 63n, 2n ** 64n - 1n])(
    'a TPM whose owner set its clock to %s is remembered so',
    (clockMs) => {
      store.enrol(record(1), enrolment(1));
      store.saveClock(bytes(1), { ...clock, clockMs, resetCount: 0xffffffff, isSafe: false });
      reopen();
      expect(store.device(bytes(1))?.clock).toEqual({ clockMs, resetCount: 0xffffffff, restartCount: 1, isSafe: false });
    },
  );

  test('a new record of a TPM takes the place of the one before it', () => {
    store.enrol(record(1, 9), enrolment(1));
    store.enrol(record(2, 9), enrolment(2));
    store.enrol(record(3), enrolment(3));
    expect([1, 2, 3].map((id) => store.device(bytes(id))?.state)).toEqual(['replaced', 'active', 'active']);
  });

  test('SR-21: a record has one handle for each relying party and epoch, and no handle twice', () => {
    store.enrol(record(1), enrolment(1));
    const bind = (relyingParty: string, epoch: number, handle: number) =>
      store.bindHandle(bytes(1), { relyingParty, epoch, handle: bytes(handle) });
    expect(bind('account', 1, 2)).toBe(true);
    expect(bind('account', 1, 2)).toBe(true);
    expect(bind('account', 1, 3)).toBe(false);
    expect(bind('account', 2, 3)).toBe(true);
    expect(bind('command', 1, 2)).toBe(false);
    expect(bind('account', 3, 2)).toBe(false);
    reopen();
    expect(bind('account', 1, 2)).toBe(true);
    expect(bind('account', 1, 4)).toBe(false);
  });

  test('SR-21: the handle of one TPM is refused to another, and then nothing of its enrolment is kept', () => {
    store.enrol(record(1), enrolment(7));
    store.enrol(record(2), enrolment(8));
    expect(store.enrol(record(3, 2), enrolment(7))).toBe(false);
    expect(store.device(bytes(3))).toBeUndefined();
    expect(store.device(bytes(2))?.state).toBe('active');
    expect(store.bindHandle(bytes(2), { relyingParty: 'account', epoch: 1, handle: bytes(7) })).toBe(false);
  });

  test('a TPM that enrols again brings its handles with it: an answer that was lost is no dead end', () => {
    store.enrol(record(1, 9), enrolment(7));
    store.bindHandle(bytes(1), { relyingParty: 'account', epoch: 1, handle: bytes(8) });
    expect(store.enrol(record(2, 9), enrolment(7))).toBe(true);
    expect(store.bindHandle(bytes(2), { relyingParty: 'account', epoch: 1, handle: bytes(8) })).toBe(true);
  });

  test('SR-19: a TPM is revoked whole, in all its records, and stays so', () => {
    store.enrol(record(1, 9), enrolment(1));
    store.enrol(record(2, 9), enrolment(2));
    store.enrol(record(3), enrolment(3));
    expect(store.isRevoked(bytes(9, 32))).toBe(false);
    store.revoke(bytes(1));
    reopen();
    expect(store.isRevoked(bytes(9, 32))).toBe(true);
    expect([1, 2, 3].map((id) => store.device(bytes(id))?.state)).toEqual(['revoked', 'revoked', 'active']);
    expect(store.isRevoked(bytes(3, 32))).toBe(false);
  });

  test('a boot log is kept by its digest, and of too many the oldest goes', () => {
    for (let index = 0; index < 4100; index += 1) {
      const digest = new Uint8Array(32);
      new DataView(digest.buffer).setUint16(0, index);
      store.saveLog(digest, Uint8Array.of(index & 0xff));
    }
    const logOf = (index: number) => store.log(Uint8Array.of(index >> 8, index & 0xff, ...new Uint8Array(30)));
    expect([...(logOf(4099) ?? [])]).toEqual([4099 & 0xff]);
    expect(logOf(3)).toBeUndefined();
    expect(logOf(4)).toBeDefined();
  });
});
