import { describe, expect, test } from 'vitest';
import { utf8 } from '#hal/core/bytes';
import { codeOf, deny, unwrap } from '#hal/core/result';
import { memoryStore } from '#hal/memory/durable-store';
import { type DeviceState, openState } from './state.ts';

const full: DeviceState = {
  lifecycle: 'active',
  device: new Uint8Array(16).fill(0xd0),
  handleEpoch: 3,
  lastSignedMs: 1_780_000_000_000,
  lastBootId: 'b0'.repeat(16),
  sessions: [{ session: 'c1'.repeat(16), sequence: 9 }],
};
const stored = (text: string) => memoryStore(new Map([['state', utf8(text)]]));
const json = (changed: Record<string, unknown>) =>
  JSON.stringify({ lifecycle: 'active', handleEpoch: 1, sessions: [], ...changed });

describe('what the mind remembers', () => {
  test('begins unenrolled, in the first epoch', () => {
    expect(unwrap(openState(memoryStore())).current()).toEqual({ lifecycle: 'unenrolled', handleEpoch: 1, sessions: [] });
  });

  test('is the same after it was opened again', () => {
    const disk = new Map<string, Uint8Array>();
    unwrap(unwrap(openState(memoryStore(disk))).update(full));
    expect(unwrap(openState(memoryStore(disk))).current()).toEqual(full);
  });

  test('changes what it is told and keeps the rest; forgets what it is told to', () => {
    const keeper = unwrap(openState(memoryStore()));
    unwrap(keeper.update(full));
    unwrap(keeper.update({ lifecycle: 'suspended' }));
    expect(keeper.current()).toEqual({ ...full, lifecycle: 'suspended' });
    unwrap(keeper.update({}, ['device', 'lastBootId']));
    const { device: _, lastBootId: __, ...rest } = full;
    expect(keeper.current()).toEqual({ ...rest, lifecycle: 'suspended' });
  });

  test('is as it was when it cannot be written', () => {
    const keeper = unwrap(openState({ ...memoryStore(), put: () => deny('unavailable', 'storage-failed') }));
    const written = keeper.update(full);
    expect(written.ok ? '' : codeOf(written.fault)).toBe('unavailable/storage-failed');
    expect(keeper.current().lifecycle).toBe('unenrolled');
  });

  test('remembers the newest sixty-four sessions', () => {
    const keeper = unwrap(openState(memoryStore()));
    const sessions = Array.from({ length: 65 }, (_, sequence) => ({
      session: sequence.toString(16).padStart(32, '0'),
      sequence,
    }));
    unwrap(keeper.update({ sessions }));
    expect(keeper.current().sessions).toEqual(sessions.slice(1));
  });

  test.each([
    ['no JSON', '{'],
    ['nothing', ''],
    ['a list', '[]'],
    ['an unknown key', json({ isTrusted: true })],
    ['a life that is not in the table', json({ lifecycle: 'immortal' })],
    ['a name of a property of every object', json({ lifecycle: 'toString' })],
    ['a device that is too short', json({ device: 'd0' })],
    ['an epoch below the first', json({ handleEpoch: 0 })],
    ['a time that is no number', json({ lastSignedMs: 'now' })],
    ['a boot id in capitals', json({ lastBootId: 'B0'.repeat(16) })],
    ['a session without its sequence', json({ sessions: [{ session: 'c1'.repeat(16) }] })],
    ['no sessions at all', json({ sessions: undefined })],
    ['more sessions than it keeps', json({ sessions: Array(65).fill({ session: 'c1'.repeat(16), sequence: 1 }) })],
  ])('refuses to begin with %s, and does not begin anew', (_, text) => {
    const store = stored(text);
    const opened = openState(store);
    expect(opened.ok ? 'opened' : codeOf(opened.fault)).toBe('protocol/config-invalid');
    expect(Buffer.from(unwrap(store.get('state')) ?? []).toString('utf8')).toBe(text);
  });

  test('says so when the store cannot be read', () => {
    const opened = openState({ ...memoryStore(), get: () => deny('unavailable', 'storage-failed') });
    expect(opened.ok ? 'opened' : codeOf(opened.fault)).toBe('unavailable/storage-failed');
  });
});
