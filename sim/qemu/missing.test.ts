import { expect, test } from 'vitest';
import { missingForMachines, missingForStart } from './missing.ts';

const without =
  (...words: readonly string[]) =>
  (path: string) =>
    !words.some((word) => path.includes(word));

test.each([
  ['QEMU', ['qemu-system'], 'QEMU'],
  ['OVMF', ['/OVMF/'], 'OVMF'],
  ['swtpm', ['swtpm'], 'swtpm'],
  ['all three', ['qemu', '/OVMF/', 'swtpm'], "QEMU, QEMU's tools for disks, OVMF, swtpm"],
])('without %s one sentence says what to do', (_, words, named) => {
  const said = `a machine in the emulator needs ${named}: make setup-machine installs them`;
  expect(missingForStart(without(...words))).toBe(said);
  expect(missingForMachines(without(...words))).toBe(said);
});

test('where a machine can be started, what its image needs is named by its files', () => {
  expect(missingForStart(without('mkfs.erofs'))).toBeUndefined();
  expect(missingForMachines((path) => path !== '/usr/bin/mkfs.erofs')).toBe(
    'a machine in the emulator needs /usr/bin/mkfs.erofs: make setup-machine installs them',
  );
  expect(missingForMachines(() => true)).toBeUndefined();
});
