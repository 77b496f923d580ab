/** Parts of what is released, apart from any build; `install.machine.test.ts` installs the whole. */
import { describe, expect, test } from 'vitest';
import { utf8 } from '#hal/core/bytes';
import { billOfMaterials, type NpmBill } from './bill.ts';
import { tarArchive } from './tar.ts';
import { treeArchive } from './tree.ts';

/** Names, types and sizes of an archive, read by the offsets of the standard. */
const entriesOf = (archive: Uint8Array) => {
  const bytes = Buffer.from(archive);
  const found: { name: string; type: string; mode: number; text: string; link: string }[] = [];
  for (let at = 0; bytes[at] !== 0; ) {
    const field = (offset: number, length: number) =>
      bytes
        .toString('latin1', at + offset, at + offset + length)
        .split('\0')[0]
        ?.trim() ?? '';
    const size = Number.parseInt(field(124, 12), 8);
    const sum = bytes
      .subarray(at, at + 512)
      .reduce((total, byte, index) => total + (index >= 148 && index < 156 ? 0x20 : byte), 0);
    expect(Number.parseInt(field(148, 8), 8)).toBe(sum);
    expect([field(257, 6), field(265, 32), Number.parseInt(field(136, 12), 8)]).toEqual(['ustar', 'root', 1234]);
    const text = bytes.toString('utf8', at + 512, at + 512 + size);
    found.push({
      name: field(0, 100),
      type: field(156, 1),
      mode: Number.parseInt(field(100, 8), 8),
      text,
      link: field(157, 100),
    });
    at += 512 + Math.ceil(size / 512) * 512;
  }
  return found;
};

describe('an archive', () => {
  test('has each folder once, before what is in it, and links and files as they are given', () => {
    const file = (path: string, text: string) => ({ path, mode: 0o755, read: () => utf8(text) }) as const;
    const archive = treeArchive([file('a/b/one', 'x'.repeat(513)), file('a/b/two', ''), { path: 'a/c', target: '../d' }], 1234);
    expect(archive.length % 512).toBe(0);
    expect(entriesOf(archive)).toEqual([
      { name: './', type: '5', mode: 0o755, text: '', link: '' },
      { name: './a/', type: '5', mode: 0o755, text: '', link: '' },
      { name: './a/b/', type: '5', mode: 0o755, text: '', link: '' },
      { name: './a/b/one', type: '0', mode: 0o755, text: 'x'.repeat(513), link: '' },
      { name: './a/b/two', type: '0', mode: 0o755, text: '', link: '' },
      { name: './a/c', type: '2', mode: 0o777, text: '', link: '../d' },
    ]);
  });

  test('is not made where a name has no room: it would be cut', () => {
    const entry = (length: number) => [{ is: 'directory', path: 'x'.repeat(length), mode: 0o755 }] as const;
    expect(entriesOf(tarArchive(entry(99), 1234))).toHaveLength(1);
    expect(() => tarArchive(entry(101), 1234)).toThrow('no room in a tar header');
  });
});

describe('a bill of materials (SR-34)', () => {
  const component = (reference: string) => ({ 'bom-ref': reference, name: reference.split('@')[0] });
  const bill = (uuid: string, folder: string): NpmBill => ({
    bomFormat: 'CycloneDX',
    serialNumber: `urn:uuid:${uuid}`,
    metadata: { timestamp: uuid, component: { 'bom-ref': 'enigm-device@1', name: folder } },
    components: [component('used@1'), component('used@2'), component('idle@1')],
    dependencies: [{ ref: 'enigm-device@1', dependsOn: ['used@1', 'idle@1'] }, { ref: 'idle@1' }, { ref: 'used@2' }],
  });
  const made = (from: NpmBill, inputs: Readonly<Record<string, readonly string[]>>) =>
    billOfMaterials({
      ...{ bill: from, inputs, timeSeconds: 0 },
      lock: { packages: { 'node_modules/used': { version: '1' }, 'node_modules/x/node_modules/used': { version: '2' } } },
      node: { bytes: utf8('node'), versions: { node: '24.0.0', openssl: '3.5.0' } },
    });
  const inputs = {
    'dist/device/a.cjs': ['agents/x.ts', 'node_modules/used/y.js', 'node_modules/x/node_modules/used/y.js'],
    'dist/sim/b.cjs': ['node_modules/idle/y.js'],
  };

  test('has what is in the programs of a device, with its version, and Node.js with what is in it', () => {
    const { components, dependencies } = made(bill('1', 'here'), inputs) as { components: unknown[]; dependencies: unknown };
    expect(components).toEqual([
      component('used@1'),
      component('used@2'),
      expect.objectContaining({
        name: 'node',
        version: '24.0.0',
        components: [{ type: 'library', name: 'openssl', version: '3.5.0' }],
      }),
    ]);
    expect(dependencies).toEqual([
      { ref: 'enigm-device@1', dependsOn: ['used@1'] },
      { ref: 'used@2', dependsOn: [] },
    ]);
  });

  test('is the same wherever and whenever it is made', () => {
    expect(made(bill('1', 'here'), inputs)).toEqual(made(bill('2', 'there'), inputs));
  });

  test('is not made where a program has a library that nobody names', () => {
    const more = (source: string) => ({ 'dist/device/a.cjs': [source] });
    expect(() => made(bill('1', 'here'), more('node_modules/stranger/y.js'))).toThrow('not in the lock');
    const { components, ...rest } = bill('1', 'here');
    expect(() => made({ ...rest, components: components.slice(1) }, inputs)).toThrow('not in the bill of npm');
  });
});
