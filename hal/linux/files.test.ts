import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { toHex, utf8 } from '#hal/core/bytes';
import { codeOf, type Result, unwrap } from '#hal/core/result';
import { createAtomically, readIfThere, writeAtomically } from './atomic-file.ts';
import { kernelBootId } from './boot-id.ts';
import { fileBootLog } from './boot-log.ts';
import { linuxClock } from './clock.ts';
import { sysrqPower } from './power.ts';
import { systemRandom } from './random.ts';

const code = (result: Result<unknown>): string => (result.ok ? 'ok' : codeOf(result.fault));
let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'enigm-files-'));
  path = join(folder, 'file');
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('a file written atomically', () => {
  test('holds exactly the bytes, also over an older and longer one, and leaves nothing beside it', () => {
    for (const text of ['an old and long one', 'new', '']) {
      unwrap(writeAtomically(path, utf8(text)));
      expect(Buffer.from(unwrap(readIfThere(path)) ?? [1]).toString()).toBe(text);
      expect(readdirSync(folder)).toEqual(['file']);
    }
  });

  test('belongs to its owner alone, where nothing else is said', () => {
    unwrap(writeAtomically(path, utf8('secret')));
    expect(statSync(path).mode & 0o777).toBe(0o600);
    unwrap(writeAtomically(path, utf8('public'), 0o644));
    expect(statSync(path).mode & 0o777).toBe(0o644);
  });

  test('is written over what an interrupted writer left', () => {
    writeFileSync(`${path}.new`, 'half of the');
    chmodSync(`${path}.new`, 0o666);
    unwrap(writeAtomically(path, utf8('whole')));
    expect(readFileSync(path, 'utf8')).toBe('whole');
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  test('does not follow a link that somebody put in its way', () => {
    const victim = join(folder, 'victim');
    writeFileSync(victim, 'untouched');
    symlinkSync(victim, `${path}.new`);
    unwrap(writeAtomically(path, utf8('mine')));
    expect(readFileSync(victim, 'utf8')).toBe('untouched');
    expect(readFileSync(path, 'utf8')).toBe('mine');
  });

  test('stays as it was when it cannot be written: a refusal, not a throw', () => {
    unwrap(writeAtomically(path, utf8('old')));
    mkdirSync(join(folder, 'file.new', 'full'), { recursive: true });
    expect(code(writeAtomically(path, utf8('new')))).toBe('unavailable/storage-failed');
    expect(readFileSync(path, 'utf8')).toBe('old');
    expect(code(writeAtomically(join(folder, 'missing', 'file'), utf8('new')))).toBe('unavailable/storage-failed');
  });

  test('that is not there is nothing; what cannot be read is a refusal', () => {
    expect(unwrap(readIfThere(path))).toBeUndefined();
    expect(code(readIfThere(folder))).toBe('unavailable/storage-failed');
  });
});

describe('a file that is written front to back', () => {
  test('is there when it is finished, over an older one, with nothing beside it', () => {
    writeFileSync(path, 'old');
    const file = unwrap(createAtomically(path, 0o644));
    for (const text of ['one ', '', 'two ', 'three']) unwrap(file.append(utf8(text)));
    expect(readFileSync(path, 'utf8')).toBe('old');
    unwrap(file.finish());
    file.abandon();
    expect(readFileSync(path, 'utf8')).toBe('one two three');
    expect(statSync(path).mode & 0o777).toBe(0o644);
    expect(readdirSync(folder)).toEqual(['file']);
  });

  test('leaves nothing where it is abandoned, and the older one as it was', () => {
    writeFileSync(path, 'old');
    const file = unwrap(createAtomically(path));
    unwrap(file.append(utf8('half of the')));
    for (const _ of [1, 2]) file.abandon();
    expect(code(file.append(utf8('rest')))).toBe('unavailable/storage-failed');
    expect(readFileSync(path, 'utf8')).toBe('old');
    expect(readdirSync(folder)).toEqual(['file']);
  });

  test('is refused where no file can be', () => {
    expect(code(createAtomically(join(folder, 'missing', 'file')))).toBe('unavailable/storage-failed');
  });
});

describe('the id of this boot', () => {
  test('is the kernel’s, sixteen bytes, the same at each reading', () => {
    const id = unwrap(kernelBootId());
    expect(id.length).toBe(16);
    expect(unwrap(kernelBootId())).toEqual(id);
    expect(toHex(id)).toBe(readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim().replaceAll('-', ''));
  });

  test.each(['', 'f00', '0123456789abcdef0123456789abcde', '0123456789abcdef0123456789abcdef00', 'not a boot id at all'])(
    'is refused as "%s"',
    (text) => {
      writeFileSync(path, text);
      expect(code(kernelBootId(path))).toBe('unavailable/not-supported');
    },
  );

  test('is refused where there is none', () => {
    expect(code(kernelBootId(path))).toBe('unavailable/not-supported');
  });
});

describe('the boot log', () => {
  test('is the bytes of the file, and none where the firmware kept none', async () => {
    expect(unwrap(await fileBootLog(path).read())).toEqual(new Uint8Array());
    writeFileSync(path, Uint8Array.of(1, 2, 3));
    expect(unwrap(await fileBootLog(path).read())).toEqual(Uint8Array.of(1, 2, 3));
  });

  test('is taken up to a megabyte and no further', async () => {
    writeFileSync(path, new Uint8Array(1024 * 1024).fill(1));
    expect(unwrap(await fileBootLog(path).read()).length).toBe(1024 * 1024);
    writeFileSync(path, new Uint8Array(1024 * 1024 + 1));
    expect(code(await fileBootLog(path).read())).toBe('protocol/too-large');
  });

  test('is bounded where the file tells no size, as those of securityfs do', async () => {
    expect(code(await fileBootLog('/dev/zero').read())).toBe('protocol/too-large');
    expect(statSync('/proc/self/status').size).toBe(0);
    expect(unwrap(await fileBootLog('/proc/self/status').read()).length).toBeGreaterThan(100);
  });

  test('that cannot be read is a refusal', async () => {
    expect(code(await fileBootLog(folder).read())).toBe('unavailable/storage-failed');
  });
});

test('a reboot is ordered through the trigger, and refused where there is none', async () => {
  writeFileSync(path, '');
  unwrap(await sysrqPower(path).reboot('test'));
  expect(readFileSync(path, 'utf8')).toBe('b');
  expect(code(await sysrqPower(join(folder, 'missing', 'trigger')).reboot('test'))).toBe('unavailable/not-supported');
});

test('a reboot that pauses answers first', async () => {
  writeFileSync(path, '');
  const pause = Promise.withResolvers<void>();
  unwrap(await sysrqPower(path, () => pause.promise).reboot('test'));
  expect(readFileSync(path, 'utf8')).toBe('s');
  pause.resolve();
  await pause.promise;
  await Promise.resolve();
  expect(readFileSync(path, 'utf8')).toBe('b');
});

test('the clock goes on, and a sleep ends when it is called off', async () => {
  const clock = linuxClock();
  const before = clock.bootMs();
  expect(before).toBeGreaterThan(0);
  await clock.sleep(15, new AbortController().signal);
  expect(clock.bootMs()).toBeGreaterThan(before);
  await clock.sleep(60_000, AbortSignal.abort());
});

test('randomness has the length that was asked for, and is not twice the same', () => {
  expect(systemRandom.bytes(0).length).toBe(0);
  expect(toHex(systemRandom.bytes(32))).not.toBe(toHex(systemRandom.bytes(32)));
});
