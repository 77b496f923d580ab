import fc from 'fast-check';
import { expect, test } from 'vitest';
import { codeOf, type Result, unwrap } from '#hal/core/result';
import { parseFloorApprovals, writeFloorApprovals } from './floor-approval.ts';

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
const approvals = fc.record({
  key: bytes(64).map((point) => Uint8Array.of(4, ...point)),
  signatures: fc.array(bytes(64), { minLength: 1, maxLength: 65 }),
});
const code = (result: Result<unknown>): string => (result.ok ? 'read' : codeOf(result.fault));
const one = { key: new Uint8Array(65).fill(4), signatures: [new Uint8Array(64)] };
const changed = (change: object): string => JSON.stringify({ ...JSON.parse(writeFloorApprovals(one)), ...change });

test('approvals are read as they were written, and are as large whatever their epoch', () => {
  fc.assert(
    fc.property(approvals, (written) => {
      const json = writeFloorApprovals(written);
      expect(json.length).toBe(8192);
      expect(unwrap(parseFloorApprovals(json))).toEqual(written);
    }),
  );
});

test('65 approvals are the most, one the least, and the key a point', () => {
  const signature = JSON.parse(writeFloorApprovals(one)).signatures[0];
  expect(code(parseFloorApprovals(changed({ signatures: Array(65).fill(signature) })))).toBe('read');
  expect(code(parseFloorApprovals(changed({ signatures: Array(66).fill(signature) })))).toBe('protocol/config-invalid');
  expect(code(parseFloorApprovals(changed({ signatures: [] })))).toBe('protocol/config-invalid');
  expect(code(parseFloorApprovals(changed({ key: Buffer.alloc(65).toString('base64') })))).toBe('protocol/config-invalid');
  expect(code(parseFloorApprovals(changed({ version: 2 })))).toBe('protocol/config-invalid');
  expect(code(parseFloorApprovals(changed({ more: 1 })))).toBe('protocol/config-invalid');
});

test('no text crashes it', () => {
  fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), (json) => parseFloorApprovals(json).ok === false));
});
