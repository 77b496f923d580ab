/** Images by the real tool: the same bytes each time, what is in them, and their hash tree against `veritysetup`. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { treeOf } from '#agents/release/build';
import { toHex, utf8 } from '#hal/core/bytes';
import { unwrap } from '#hal/core/result';
import { seededRandom } from '#hal/memory/random';
import { bytesImage } from '#ota-client/payload/image';
import { blockBytes } from '#ota-client/payload/limits';
import { hashAreaBytes } from '#ota-client/payload/verity';
import { buildRootImage, deviceTree, imageTool, unhealthyMark, uuidText } from './image-build.ts';
import { code } from './releases.fixture.ts';

const tools = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' };
const lacks = (program: string) => spawnSync(program, ['--help'], { env: tools }).error !== undefined;
const directory = mkdtempSync(join(tmpdir(), 'enigm-image-test-'));
afterAll(() => rmSync(directory, { recursive: true }));

const uuid = new Uint8Array(16).fill(9);
const tree = new Map([
  ['etc/enigm/release', utf8('id=release-1\n')],
  ['usr/lib/enigm/agentd.cjs', utf8('const program = 1;\n'.repeat(40_000))],
  ['usr/lib/enigm/random', seededRandom('a file').bytes(300_000)],
  ['usr/lib/enigm/empty', new Uint8Array()],
]);

test('a path that leaves the tree, or hides in it, is refused', async () => {
  for (const path of ['../x', '/etc/passwd', 'a/../b', 'a//b', '', '.hidden', 'a/'])
    expect(code(await buildRootImage(new Map([[path, uuid]]), { uuid }))).toBe('protocol/field-invalid');
});

test('without the tool it says so', async () => {
  const commands = { run: async () => ({ ok: false, fault: { category: 'unavailable', reason: 'not-supported' } }) as const };
  expect(code(await buildRootImage(tree, { uuid, commands }))).toBe('unavailable/not-supported');
});

describe('what the device runs', () => {
  const programs = join(directory, 'programs');
  mkdirSync(programs);
  writeFileSync(join(programs, 'agentd.cjs'), 'a program');

  test('is a tree that says which release it is', () => {
    const made = unwrap(deviceTree({ programs, id: 'release-2', counter: 2, floorEpoch: 1 }));
    expect([...made.keys()].sort()).toEqual(['etc/enigm/release', 'etc/os-release', 'usr/lib/enigm/agentd.cjs']);
    expect(Buffer.from(made.get('etc/enigm/release') ?? '').toString()).toBe('id=release-2\ncounter=2\nfloor=1\n');
    const sick = unwrap(deviceTree({ programs, id: 'release-3', counter: 3, floorEpoch: 1, isUnhealthy: true }));
    expect(sick.has(unhealthyMark)).toBe(true);
    const none = deviceTree({ programs: join(directory, 'none'), id: 'x', counter: 1, floorEpoch: 0 });
    expect(code(none)).toBe('unavailable/not-found');
  });
});

describe.skipIf(!existsSync(imageTool))('an image (erofs-utils)', () => {
  test('is the same bytes for the same tree, in whatever order its files are named', async () => {
    const one = unwrap(await buildRootImage(tree, { uuid }));
    const other = unwrap(await buildRootImage(new Map([...tree].reverse()), { uuid }));
    expect(Buffer.compare(one, other)).toBe(0);
    expect(one.length % blockBytes).toBe(0);
    expect(one.length).toBeLessThan(600_000);
  });

  test('differs with a file, with the time, with the UUID', async () => {
    const one = unwrap(await buildRootImage(tree, { uuid }));
    const changed = new Map(tree).set('etc/enigm/release', utf8('id=release-2\n'));
    expect(Buffer.compare(unwrap(await buildRootImage(changed, { uuid })), one)).not.toBe(0);
    expect(Buffer.compare(unwrap(await buildRootImage(tree, { uuid, timeSeconds: 1 })), one)).not.toBe(0);
    expect(Buffer.compare(unwrap(await buildRootImage(tree, { uuid: new Uint8Array(16) })), one)).not.toBe(0);
  });

  test.skipIf(lacks('fsck.erofs'))('is a file system with exactly these files (fsck.erofs)', async () => {
    const file = join(directory, 'image');
    writeFileSync(file, unwrap(await buildRootImage(tree, { uuid })));
    const out = join(directory, 'out');
    const { status, stderr } = spawnSync('fsck.erofs', [`--extract=${out}`, file], { env: tools, encoding: 'utf8' });
    expect(status, stderr).toBe(0);
    for (const [path, content] of tree) expect(Buffer.compare(readFileSync(join(out, path)), content), path).toBe(0);
  });

  test.skipIf(lacks('veritysetup'))('has the hash tree that veritysetup makes of it', async () => {
    const image = unwrap(await buildRootImage(tree, { uuid }));
    const salt = new Uint8Array(32).fill(7);
    const file = join(directory, 'slot');
    writeFileSync(file, image);
    truncateSync(file, image.length + hashAreaBytes(image.length));
    const words = [
      ...['format', file, file, '--format=1', '--hash=sha256', '--data-block-size=4096', '--hash-block-size=4096'],
      ...[`--data-blocks=${image.length / blockBytes}`, `--hash-offset=${image.length}`, `--salt=${toHex(salt)}`],
      `--uuid=${uuidText(uuid)}`,
    ];
    const { stdout } = spawnSync('veritysetup', words, { env: tools, encoding: 'utf8' });
    const { verityRoot } = unwrap(await treeOf(bytesImage(image), { salt, uuid }));
    expect(toHex(verityRoot)).toBe(/Root hash:\s+([0-9a-f]+)/.exec(stdout)?.[1]);
  });
});
