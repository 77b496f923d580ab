/** `tpm2_eventlog` of the Debian package tpm2-tools as a second reader of our logs, and as a second replayer of real ones. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { unwrap } from '#hal/core/result';
import { hasCorpora } from '../corpora.fixture.ts';
import { type Bank, banks } from './algorithms.ts';
import { corpusBytes, indexRows, windowsDump } from './corpora.fixture.ts';
import { describeEventLog } from './describe.ts';
import { eventTypeName, eventTypes } from './events.ts';
import { parseEventLog } from './parse.ts';
import { sampleBoot, writeLog } from './sample.fixture.ts';

const tool = '/usr/bin/tpm2_eventlog';
const hasTool = existsSync(tool);
const folder = mkdtempSync(join(tmpdir(), 'eventlog-'));
afterAll(() => rmSync(folder, { recursive: true }));

interface ToolAnswer {
  readonly eventTypes: readonly string[];
  /** By bank, then by register. */
  readonly pcrs: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

/** What the tool prints about a log; undefined when it gives none of it. */
const askTool = (bytes: Uint8Array): ToolAnswer | undefined => {
  const file = join(folder, 'log');
  writeFileSync(file, bytes);
  const run = spawnSync(tool, [file], { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });
  if (run.status !== 0) return undefined;
  const [events = '', registers = ''] = run.stdout.split('\npcrs:\n');
  const pcrs: Record<string, Record<string, string>> = {};
  let bank: Record<string, string> = {};
  for (const line of registers.split('\n')) {
    const name = /^ {2}(\w+):$/.exec(line)?.[1];
    if (name !== undefined) {
      bank = {};
      pcrs[name] = bank;
    }
    const [, pcr, value] = /^ {4}(\d+) *: 0x([0-9a-f]+)$/.exec(line) ?? [];
    if (pcr !== undefined && value !== undefined) bank[pcr] = value;
  }
  return { eventTypes: [...events.matchAll(/^ {2}EventType: (\w+)$/gm)].map(([, type = '']) => type), pcrs };
};

/**
 * Our registers as version 5.4 computes them: it begins register 0 at zero, whatever the startup locality, and extends a
 * register with the zeros of an EV_NO_ACTION event. A TPM does neither (`corpora.test.ts` has the recorded values); to
 * compare all else, the log is rewritten so that these events extend.
 */
const registersAsTool = (bytes: Uint8Array) => {
  const copy = new Uint8Array(bytes);
  const view = new DataView(copy.buffer);
  for (const { offset, type, digests } of unwrap(parseEventLog(bytes)).events)
    if (type === eventTypes.EV_NO_ACTION.code && digests.length > 0) view.setUint32(offset + 4, eventTypes.EV_IPL.code, true);
  return unwrap(describeEventLog(copy)).pcrs;
};

describe.skipIf(!hasTool)('with /usr/bin/tpm2_eventlog', () => {
  test.each<[readonly Bank[]]>([[['sha256']], [['sha1', 'sha256']], [banks]])(
    'a log written for %s reads the same',
    (algorithms) => {
      const bytes = writeLog(sampleBoot, algorithms);
      const answer = askTool(bytes);
      expect(answer?.pcrs).toEqual(registersAsTool(bytes));
      expect(answer?.eventTypes).toEqual(unwrap(parseEventLog(bytes)).events.map(({ type }) => eventTypeName(type)));
    },
  );

  describe.skipIf(!hasCorpora)('and the corpora', () => {
    /** What version 5.4 does not read: CCEL logs, a log of one event; the bogus one crashes it. */
    const refusedByTool = [
      'CCEL_data_grub.bin',
      'CCEL_data_ovmf.bin',
      'keylime-binary_bios_measurements-bogus.bin',
      'short_no_action_eventlog.bin',
    ];
    const logs = hasCorpora ? indexRows().filter(({ name }) => name.endsWith('.bin') && !refusedByTool.includes(name)) : [];

    test.each(logs)('$name replays the same', ({ name }) => {
      expect(askTool(corpusBytes(name))?.pcrs).toEqual(registersAsTool(corpusBytes(name)));
    });

    test('windows_gcp_shielded_vm.json replays the same', () => {
      const { log } = windowsDump();
      expect(askTool(log)?.pcrs).toEqual(registersAsTool(log));
    });
  });
});
