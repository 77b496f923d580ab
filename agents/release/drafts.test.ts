import { afterAll, beforeAll, expect, test } from 'vitest';
import { codeOf, type Result } from '#hal/core/result';
import { nextImage, sampleImage } from '#ota-client/payload/images.fixture';
import { addDraft, type DraftInput } from './drafts.ts';
import { type TestOffice, testOffice } from './office.fixture.ts';

const code = (result: Result<unknown>): string => (result.ok ? 'ok' : codeOf(result.fault));
const old = sampleImage('draft', 70);
let office: TestOffice;
beforeAll(async () => {
  office = await testOffice('drafts');
});
afterAll(() => office.remove());

const input = (id: string, file: string, bases: readonly string[]): DraftInput => ({
  ...{ id, class: 'os', author: 'ada', file, counter: Number(id.slice(1)), floorEpoch: 0, hardware: ['board-1'], bases },
});
const payloadFiles = (id: string): readonly string[] =>
  [...office.served().keys()].filter((path) => path.startsWith(`targets/payload/${id}/`));

test('the payload of an image lies whole in the repository, and who waits is told how far it is', async () => {
  const told: string[] = [];
  const [image, base] = [office.file('image', nextImage('draft', old)), office.file('base', old)];
  const made = await addDraft(
    office.parts,
    office.folder,
    input('r2', image, [base]),
    (done, of) => void told.push(`${done}/${of}`),
  );
  expect(code(made)).toBe('ok');
  expect(told).toEqual(['1/2', '2/2']);
  expect(
    payloadFiles('r2').map((path) =>
      path
        .replace(/pair-[0-9a-f]{16}/, 'pair')
        .split('/')
        .at(-1),
    ),
  ).toEqual([...['full.pieces', 'full.recipe', 'index', 'pair.pieces', 'pair.recipe', 'units.locator', 'units.pieces']]);
});

test('of an image that cannot be read, or is none, nothing is left', async () => {
  const [image, empty] = [office.file('other', old), office.file('empty', new Uint8Array())];
  const refusals = [
    [input('r3', '/nowhere/image', []), 'protocol/file-unreadable'],
    [input('r3', image, ['/nowhere/base']), 'protocol/file-unreadable'],
    [input('r3', office.folder, []), 'unavailable/storage-failed'],
    [input('r3', empty, []), 'protocol/config-invalid'],
    [input('r3', image, [empty]), 'protocol/config-invalid'],
  ] as const;
  for (const [draft, refusal] of refusals) expect(code(await addDraft(office.parts, office.folder, draft))).toBe(refusal);
  expect(payloadFiles('r3')).toEqual([]);
});
