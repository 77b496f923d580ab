import { describe, expect, test } from 'vitest';
import { codeOf, deny, ok, type Result } from '#hal/core/result';
import { diskFaultSetter } from './disk-faults.ts';
import type { Qmp } from './qmp.ts';

/** Another disk before ours, as the machine's second one is; ours as QEMU names it. */
const blocks = [
  { qdev: '/machine/peripheral-anon/device[1]/virtio-backend', inserted: { 'node-name': 'other' } },
  { qdev: '/machine/peripheral/disk/virtio-backend', inserted: { 'node-name': '#block186' } },
];

/** QEMU that does as it is told, but for one command. */
const emulator = (refused?: string, found: readonly object[] = blocks) => {
  const heard: string[] = [];
  const qmp: Qmp = {
    async command(name, words): Promise<Result<unknown>> {
      heard.push(name === 'qom-set' ? `${name} ${words?.['value']}` : name);
      if (name === refused) return deny('unavailable', 'not-supported', name);
      return ok(name === 'query-block' ? found : {});
    },
    close: () => undefined,
  };
  return { heard, set: diskFaultSetter(qmp) };
};
const fault = { on: 'read', sector: 8 } as const;

describe('errors of a disk while its machine runs', () => {
  test('are a node before it, which is taken away again', async () => {
    const { heard, set } = emulator();
    expect((await set([fault])).ok).toBe(true);
    expect(heard).toEqual(['query-block', 'blockdev-add', 'qom-set faulty']);
    heard.length = 0;
    expect((await set([{ ...fault, sector: 9 }])).ok).toBe(true);
    expect(heard).toEqual(['qom-set #block186', 'blockdev-del', 'query-block', 'blockdev-add', 'qom-set faulty']);
    heard.length = 0;
    expect((await set([])).ok).toBe(true);
    expect((await set([])).ok).toBe(true);
    expect(heard).toEqual(['qom-set #block186', 'blockdev-del']);
  });

  test.each(['query-block', 'blockdev-add', 'qom-set', 'blockdev-del'])('are a refusal where QEMU refuses %s', async (name) => {
    const { set } = emulator(name);
    const first = await set([fault]);
    const both = first.ok ? await set([]) : first;
    expect(both.ok ? 'set' : codeOf(both.fault)).toBe('unavailable/not-supported');
  });

  test('are a refusal for a machine without our disk', async () => {
    const set = await emulator(undefined, blocks.slice(0, 1)).set([fault]);
    expect(set.ok ? 'set' : set.fault.detail).toBe('no disk');
  });
});
