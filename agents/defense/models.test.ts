import { describe, expect, test } from 'vitest';
import { codeOf, deny, type Result, unwrap } from '#hal/core/result';
import { memoryStore } from '#hal/memory/durable-store';
import { memoryLog } from '#hal/memory/log';
import { encodeModel, processor } from './model.fixture.ts';
import { openModels } from './models.ts';

const code = (result: Result<unknown>) => (result.ok ? 'taken' : codeOf(result.fault));
const open = (store: Parameters<typeof openModels>[0]['store'] = memoryStore(), image = encodeModel()) =>
  openModels({ store, log: memoryLog(), image, processor });

describe('which model judges', () => {
  test('the one of the image, until a newer one is taken', () => {
    const models = open();
    expect(models.current()?.version).toBe(3);
    expect(code(models.take(encodeModel({ version: 4 })))).toBe('taken');
    expect(models.current()?.version).toBe(4);
  });

  test('refuses a downgrade, also after a restart: to below what was taken, and to below the image', () => {
    const disk = new Map<string, Uint8Array>();
    unwrap(open(memoryStore(disk)).take(encodeModel({ version: 9 })));
    const restarted = open(memoryStore(disk));
    expect(restarted.current()?.version).toBe(9);
    expect(code(restarted.take(encodeModel({ version: 8 })))).toBe('policy/stale');
    expect(restarted.current()?.version).toBe(9);
    expect(code(open().take(encodeModel({ version: 2 })))).toBe('policy/stale');
  });

  test('takes the newer one of a new image over what was kept', () => {
    const disk = new Map<string, Uint8Array>();
    unwrap(open(memoryStore(disk)).take(encodeModel({ version: 4 })));
    expect(open(memoryStore(disk), encodeModel({ version: 12 })).current()?.version).toBe(12);
  });

  test('refuses another content of the same version, and takes the same again', () => {
    const models = open();
    expect(code(models.take(encodeModel()))).toBe('taken');
    expect(code(models.take(encodeModel({ unusualWeight: 1 })))).toBe('policy/version-reused');
  });

  test('keeps judging by what it has when a model is broken or cannot be kept', () => {
    const models = open();
    expect(code(models.take(encodeModel({ version: 9, known: [3, 2] })))).toBe('intelligence/model-invalid');
    const full = open({ ...memoryStore(), put: () => deny('resource', 'storage-full') });
    expect(code(full.take(encodeModel({ version: 9 })))).toBe('resource/storage-full');
    expect([models.current()?.version, full.current()?.version]).toEqual([3, 3]);
  });

  test('judges by none on another processor', () => {
    expect(
      openModels({ store: memoryStore(), log: memoryLog(), image: encodeModel(), processor: 'arm64' }).current(),
    ).toBeUndefined();
  });
});
