/** Formats of the image, each by what its standard says of a small example. */

import { describe, expect, test } from 'vitest';
import { toHex, utf8 } from '#hal/core/bytes';
import { globalVendor } from '#hal/core/guid';
import { codeOf, unwrap } from '#hal/core/result';
import { cpioArchive } from './cpio.ts';
import { partitionNamed, partitions } from './disk.ts';
import { partitionTable } from './gpt.ts';
import { bootVariables, secureBootVariables, writeVariables } from './variable-store.ts';

describe('the first root', () => {
  const archive = cpioArchive([
    { is: 'file', path: 'bin/sh', bytes: utf8('hello'), isExecutable: true },
    { is: 'link', path: 'bin/ls', target: 'sh' },
  ]);
  const text = Buffer.from(archive).toString('latin1');

  test('has folders before what is in them, and ends with its trailer', () => {
    expect([...text.matchAll(/(bin\/sh|bin\/ls|bin|TRAILER!!!)\0/g)].map(([, name]) => name)).toEqual([
      ...['bin', 'bin/ls', 'bin/sh', 'TRAILER!!!'],
    ]);
    expect(archive.length % 4).toBe(0);
  });

  test('belongs to root and has no time', () => {
    for (const [, fields = ''] of text.matchAll(/070701([0-9A-F]{104})/g)) {
      const numbers = fields.match(/.{8}/g)?.map((digits) => Number.parseInt(digits, 16));
      expect(numbers?.slice(2, 4)).toEqual([0, 0]);
      expect(numbers?.[5]).toBe(0);
    }
  });

  test('is the same in whatever order its entries come', () => {
    expect(
      cpioArchive([
        { is: 'link', path: 'bin/ls', target: 'sh' },
        { is: 'file', path: 'bin/sh', bytes: utf8('hello'), isExecutable: true },
      ]),
    ).toEqual(archive);
  });
});

describe('the disk', () => {
  test('has recovery first, so that a machine that lost its entries starts it; partitions touch none another', () => {
    expect(partitions[0]?.name).toBe('recovery');
    for (const [index, { startSector }] of partitions.entries()) {
      const before = partitions[index - 1];
      expect(startSector).toBe(before === undefined ? 2048 : before.startSector + before.sectors);
    }
  });

  test('has both tables, each of which names where the other one is', () => {
    const { first, last } = partitionTable('00112233-4455-6677-8899-aabbccddeeff', 10_000, [partitionNamed('recovery')]);
    expect(first.length).toBe(34 * 512);
    expect(last.length).toBe(33 * 512);
    const header = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, 512);
    const [front, back] = [header(first.subarray(512)), header(last.subarray(last.length - 512))];
    expect([front.getBigUint64(24, true), front.getBigUint64(32, true)]).toEqual([1n, 9_999n]);
    expect([back.getBigUint64(24, true), back.getBigUint64(32, true)]).toEqual([9_999n, 1n]);
    expect(toHex(first.subarray(512 + 56, 512 + 72))).toBe('33221100554477668899aabbccddeeff');
  });
});

describe('the firmware variables', () => {
  const empty = () => {
    const store = new Uint8Array(0x2000).fill(0xff);
    store.set(utf8('_FVH'), 40);
    return store;
  };

  test('are records of an empty store, aligned, each live', () => {
    const certificate = new Uint8Array(33).fill(1);
    const keys = secureBootVariables({ platform: certificate, keyExchange: certificate, signers: [certificate, certificate] });
    const place = partitionNamed('esp-a');
    const entries = bootVariables(new Map([[0x10, { title: 'A', path: '\\X', partition: { ...place, number: 2 } }]]));
    const store = unwrap(writeVariables(empty(), [...keys, ...entries]));
    const names: string[] = [];
    const view = new DataView(store.buffer);
    for (let at = 0x64; view.getUint16(at, true) === 0x55aa; ) {
      expect(store[at + 2]).toBe(0x3f);
      const [nameBytes, dataBytes] = [view.getUint32(at + 36, true), view.getUint32(at + 40, true)];
      names.push(Buffer.from(store.subarray(at + 60, at + 60 + nameBytes - 2)).toString('utf16le'));
      at += Math.ceil((60 + nameBytes + dataBytes) / 4) * 4;
    }
    expect(names).toEqual(['PK', 'KEK', 'db', 'Boot0010', 'BootOrder']);
    expect(keys.find(({ name }) => name === 'PK')?.vendor).toBe(globalVendor);
  });

  test('are not written over others', () => {
    const used = empty();
    used[0x64] = 0xaa;
    const made = writeVariables(used, []);
    expect(made.ok || codeOf(made.fault)).toBe('protocol/malformed');
  });
});
