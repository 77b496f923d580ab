import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { imageModel } from '#agents/defense/image-model';
import { newJudge } from '#agents/defense/judge';
import { openModel } from '#agents/defense/model';
import { fromBase64 } from '#hal/core/bytes';
import { encodeMessage } from '#hal/core/message';
import { codeOf, unwrap } from '#hal/core/result';
import { recordProgram } from './syscalls.ts';
import { workloads } from './syscalls-workloads.ts';

const canary = 'CANARY-of-a-person';
const opened = openModel(fromBase64(imageModel) ?? new Uint8Array(), process.arch);
/** The model is for one processor. */
const judged = opened.ok ? describe : describe.skip;

describe('recording a program', () => {
  test('has its calls and nothing of what it did with them, and leaves no file', async () => {
    const script = `open($f, ">", "/tmp/${canary}-$$"); print $f "${canary}"; close $f; unlink "/tmp/${canary}-$$"; $ENV{SECRET} = "${canary}"; system("true ${canary}")`;
    const before = readdirSync(tmpdir()).filter((name) => name.startsWith('enigm-calls-')).length;
    const windows = unwrap(await recordProgram({ app: 'a-program', program: 'perl', words: ['-e', script, canary] }));
    expect(windows.length).toBeGreaterThan(2);
    const bytes = Buffer.from(encodeMessage('CallWindows', { windows: windows.slice(0, 64) }));
    for (const secret of [canary, 'CANARY', '/tmp', 'SECRET', 'perl', 'open']) {
      expect(JSON.stringify(windows)).not.toContain(secret);
      expect(bytes.toString('latin1')).not.toContain(secret);
    }
    expect(readdirSync(tmpdir()).filter((name) => name.startsWith('enigm-calls-'))).toHaveLength(before);
  });

  test('gives no program anything of our environment', async () => {
    const said = execFileSync(process.execPath, ['-p', '1'], { encoding: 'utf8' });
    expect(said).toBe('1\n');
    const script = 'exit(scalar(keys %ENV) == 1 ? 0 : 1) if 1; ';
    expect((await recordProgram({ app: 'a', program: 'perl', words: ['-e', script] })).ok).toBe(true);
  });

  test('says that a program cannot be started', async () => {
    const recorded = await recordProgram({ app: 'a', program: '/nonexistent/program', words: [] });
    expect(recorded.ok || codeOf(recorded.fault)).toBe('unavailable/not-supported');
  });
});

judged('programs recorded now, judged by the model of the image', () => {
  let directory: string;
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'enigm-judged-'));
  });
  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  const judgeNow = async (name: string, recording: (typeof workloads)[number]['recording']) => {
    const windows = unwrap(await recordProgram(recording(mkdtempSync(join(directory, name)), 0)));
    return newJudge(unwrap(opened)).judge(windows, 0).assessment.category;
  };

  /**
   * A variant that was learned, for the programs differ between machines enough as it is. A machine that is busy makes
   * an ordinary program look strange now and then: then most of five times it must not, and like an attack never.
   */
  test.each(workloads.map(({ name, conduct, recording }) => [name, conduct, recording] as const))(
    '%s is %s',
    async (name, conduct, recording) => {
      const first = await judgeNow(name, recording);
      if (conduct !== 'ordinary') expect(first).toBe(conduct);
      else if (first !== 'none' && first !== 'low') {
        const said: string[] = [first];
        while (said.length < 5) said.push(await judgeNow(name, recording));
        expect(['none', 'low', 'suspicious']).toEqual(expect.arrayContaining(said));
        expect(said.filter((category) => category === 'suspicious').length).toBeLessThan(3);
      }
    },
  );
});
