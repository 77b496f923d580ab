/** The log as its keeper and its witnesses have it. */
import { describe, expect, test } from 'vitest';
import { utf8 } from '#hal/core/bytes';
import { codeOf, deny, ok, type Result, unwrap } from '#hal/core/result';
import { nodeCrypto } from '#hal/crypto/node';
import { memoryFiles, type StaticFiles } from '#ota-client/repository/files';
import { checkProof } from './check.ts';
import { openLogCheckpoint } from './checkpoint.ts';
import { entryBytes } from './entry.ts';
import { entry, logKeys, logTrust, newLog, newWitnesses, origin } from './log.fixture.ts';
import { checkpointPath } from './log.ts';
import { tilePath, tilesOf } from './tiles.ts';
import { loadEntries, loadTree } from './tree.ts';

const code = (result: Result<unknown>): string => (result.ok ? 'accepted' : codeOf(result.fault));
const named = (...names: readonly string[]) => names.map((name) => entry(name));
const headOf = async (files: StaticFiles) => {
  const bytes = unwrap(await files.get(checkpointPath)) ?? new Uint8Array();
  return unwrap(openLogCheckpoint(nodeCrypto, bytes, origin, logKeys.publicKey)).checkpoint;
};

describe('tiles', () => {
  test('have the names that tlog-tiles gives them', () => {
    expect(tilePath({ level: 0, index: 1_234_067, width: 256 })).toBe('log/tile/0/x001/x234/067');
    expect(tilePath({ level: 'entries', index: 0, width: 5 })).toBe('log/tile/entries/000.p/5');
  });

  test('are as many for 70,000 entries as its example says, and only the last are new', () => {
    const widths = ([0, 1, 2] as const).map((level) => tilesOf(level, 70_000).map(({ width }) => width));
    expect(widths.map((of) => [of.filter((width) => width === 256).length, of.filter((width) => width < 256)])).toEqual([
      [273, [112]],
      [1, [17]],
      [0, [1]],
    ]);
    expect(tilesOf(1, 256)).toEqual([{ level: 1, index: 0, width: 1 }]);
    expect(tilesOf(0, 70_000, 69_999)).toEqual([{ level: 0, index: 273, width: 112 }]);
  });
});

describe('a log', () => {
  test('is the same files whether it grew at once or one by one', async () => {
    const names = Array.from({ length: 300 }, (_, at) => `release ${at}`);
    const [atOnce, inTwo] = [new Map<string, Uint8Array>(), new Map<string, Uint8Array>()];
    unwrap(await newLog(newWitnesses(), memoryFiles(atOnce)).record(named(...names)));
    const log = newLog(newWitnesses(), memoryFiles(inTwo));
    unwrap(await log.record(named(...names.slice(0, 7))));
    unwrap(await log.record(named(...names.slice(7))));
    const tiles = [...atOnce].filter(([path]) => path.startsWith('log/tile/'));
    expect(tiles.map(([path]) => path).sort()).toEqual([
      ...['log/tile/0/000', 'log/tile/0/001.p/44', 'log/tile/1/000.p/1'],
      ...['log/tile/entries/000', 'log/tile/entries/001.p/44'],
    ]);
    for (const [path, bytes] of tiles) expect(inTwo.get(path)).toEqual(bytes);
    const tree = unwrap(await loadTree(log.files, await headOf(log.files)));
    expect(unwrap(await loadEntries(log.files, tree))).toEqual(named(...names).map(entryBytes));
  });

  test('enters once what it is told twice, and staples a new proof to what is live', async () => {
    const log = newLog();
    unwrap(await log.record(named('one', 'one')));
    unwrap(await log.record(named('one')));
    expect((await headOf(log.files)).size).toBe(1);
    unwrap(await log.record(named('two'), named('one')));
    const sizes = await Promise.all(
      named('one', 'two').map(async (of) => unwrap(checkProof(nodeCrypto, logTrust(), of, await log.proof(of))).size),
    );
    expect(sizes).toEqual([2, 2]);
  });

  test('without enough witnesses proves nothing, and goes on when they are back', async () => {
    let isAway = true;
    const [first, second, third] = newWitnesses();
    if (first === undefined || second === undefined || third === undefined) throw new Error('three witnesses');
    const away = { ...second, ask: async (body: Uint8Array) => (isAway ? deny('unavailable', 'link-down') : second.ask(body)) };
    const log = newLog([first, away]);
    const refused = await log.record(named('one'));
    expect(refused).toMatchObject({ fault: { reason: 'witnesses-missing', detail: '1 of 2, without witness.example/b' } });
    expect(await log.proof(entry('one'))).toBeUndefined();
    isAway = false;
    unwrap(await log.record(named('one')));
    expect(code(checkProof(nodeCrypto, logTrust(), entry('one'), await log.proof(entry('one'))))).toBe('accepted');
    isAway = true;
    const three = newLog([first, away, third], log.files);
    unwrap(await three.record(named('two')));
    expect(code(checkProof(nodeCrypto, logTrust('require', 3), entry('two'), await log.proof(entry('two'))))).toBe('accepted');
  });

  test('passes on the two lines of a witness, whatever else it says', async () => {
    const [first, second] = newWitnesses();
    if (first === undefined || second === undefined) throw new Error('two witnesses');
    const talkative = {
      ...first,
      ask: async (body: Uint8Array) => {
        const answered = await first.ask(body);
        if (!answered.ok || answered.value.status !== 200) return answered;
        const more = '— somebody.example AAAAAAA=\n'.repeat(20);
        return ok({ status: 200 as const, body: utf8(more + Buffer.from(answered.value.body).toString('utf8')) });
      },
    };
    const log = newLog([talkative, second]);
    unwrap(await log.record(named('one')));
    const proof = Buffer.from((await log.proof(entry('one'))) ?? []).toString('utf8');
    expect(proof.match(/^— /gm)).toHaveLength(6);
    expect(proof).not.toContain('somebody.example');
  });

  test('whose tiles or entries were changed goes no further', async () => {
    for (const spoilt of ['log/tile/0/000.p/2', 'log/tile/entries/000.p/2']) {
      const kept = new Map<string, Uint8Array>();
      const log = newLog(newWitnesses(), memoryFiles(kept));
      unwrap(await log.record(named('one', 'two')));
      const bytes = kept.get(spoilt)?.slice() ?? new Uint8Array();
      bytes[bytes.length - 2] = (bytes[bytes.length - 2] ?? 0) ^ 1;
      kept.set(spoilt, bytes);
      expect(code(await log.record(named('three')))).toBe('integrity/log-split');
    }
  });

  test.each(Array.from({ length: 9 }, (_, at) => at))('cut after %i writes goes on to the same tree', async (cut) => {
    const kept = new Map<string, Uint8Array>();
    const witnesses = newWitnesses();
    unwrap(await newLog(witnesses, memoryFiles(kept)).record(named('one')));
    let left = cut;
    const files = memoryFiles(kept);
    const failing: StaticFiles = {
      ...files,
      put: async (path, bytes) => (left-- > 0 ? files.put(path, bytes) : deny('unavailable', 'storage-failed')),
    };
    const first = await newLog(witnesses, failing).record(named('two'), named('one'));
    const log = newLog(witnesses, files);
    unwrap(await log.record(named('two'), named('one')));
    expect(first.ok).toBe(cut >= 6);
    expect((await headOf(files)).size).toBe(2);
    for (const of of named('one', 'two'))
      expect(code(checkProof(nodeCrypto, logTrust(), of, await log.proof(of)))).toBe('accepted');
  });
});

describe('a witness', () => {
  test('cosigns no second history: a log that shows two is found out', async () => {
    const witnesses = newWitnesses();
    unwrap(await newLog(witnesses).record(named('one', 'two')));
    expect(code(await newLog(witnesses).record(named('one', 'other')))).toBe('integrity/witnesses-missing');
    expect(code(await newLog(witnesses).record(named('other', 'one', 'two')))).toBe('integrity/witnesses-missing');
    expect(code(await newLog(witnesses).record(named('one')))).toBe('integrity/witnesses-missing');
  });

  test('answers by the numbers of tlog-witness', async () => {
    const [witness] = newWitnesses();
    const ask = async (body: Uint8Array | string) =>
      unwrap((await witness?.ask(typeof body === 'string' ? utf8(body) : body)) ?? ok(undefined))?.status;
    let asked: Uint8Array = new Uint8Array();
    const spying = [
      {
        ...newWitnesses()[1],
        name: 'x',
        key: logKeys.publicKey,
        ask: async (body: Uint8Array) => {
          asked = body;
          return deny('unavailable', 'link-down');
        },
      },
    ];
    await newLog(spying).record(named('one', 'two', 'three'));
    const request = Buffer.from(asked).toString('utf8');
    expect(await ask('')).toBe(400);
    expect(await ask('old 00\n\n')).toBe(400);
    expect(await ask(request.replace(origin, 'log.example/unknown'))).toBe(404);
    expect(await ask(request.replace('\n3\n', '\n4\n'))).toBe(403);
    expect(await ask(request.replace('old 0', 'old 4'))).toBe(400);
    expect(await ask(request.replace('old 0', 'old 1'))).toBe(409);
    expect(await ask(request.replace('old 0\n', `old 0\n${'A'.repeat(43)}=\n`))).toBe(422);
    expect(await ask(asked)).toBe(200);
    expect(await ask(asked)).toBe(409);
    expect(await ask(request.replace('old 0', 'old 3'))).toBe(200);
  });
});
