/** What a device makes of a stapled proof: the good one, and everything that is almost one. */
import { describe, expect, test } from 'vitest';
import { utf8 } from '#hal/core/bytes';
import { codeOf, type Result, unwrap } from '#hal/core/result';
import { nodeCrypto } from '#hal/crypto/node';
import { encodeNote, readNote } from '#hal/crypto/signed-note';
import { memoryStore } from '#hal/memory/durable-store';
import { memoryFiles } from '#ota-client/repository/files';
import { checkProof } from './check.ts';
import { judgeLogged } from './judge.ts';
import { entry, logTrust, newLog, newWitnesses, origin, provedEntry } from './log.fixture.ts';
import { encodeProof, readProof } from './proof.ts';

const code = (result: Result<unknown>): string => (result.ok ? 'accepted' : codeOf(result.fault));
const check = (proof: Uint8Array | undefined, of = entry('wanted'), trust = logTrust()) =>
  checkProof(nodeCrypto, trust, of, proof);
const good = await provedEntry();

/** The lines of the checkpoint changed, everything else as it was. */
const withLines = (change: (lines: ReturnType<typeof linesOf>) => ReturnType<typeof linesOf>): Uint8Array => {
  const proof = unwrap(readProof(good.proof));
  const note = unwrap(readNote(proof.checkpoint));
  return encodeProof({ ...proof, checkpoint: encodeNote({ ...note, lines: change(note.lines) }) });
};
const linesOf = (proof: Uint8Array) => unwrap(readNote(unwrap(readProof(proof)).checkpoint)).lines;

describe('a proof', () => {
  test('says where the entry stands and who saw it', () => {
    expect(unwrap(check(good.proof))).toMatchObject({
      ...{ index: 3, size: 5 },
      witnesses: [
        { name: 'witness.example/a', cosignedMs: 1_700_000_000_000 },
        { name: 'witness.example/b', cosignedMs: 1_700_000_000_000 },
      ],
    });
  });

  test('of another entry, of another kind, or none at all, proves nothing', () => {
    expect(code(check(good.proof, entry('five')))).toBe('integrity/log-proof-invalid');
    expect(code(check(good.proof, entry('wanted', 'statement')))).toBe('integrity/log-proof-invalid');
    expect(code(check(undefined))).toBe('integrity/log-proof-missing');
  });

  test('of another log, or under another key, is refused', () => {
    expect(code(check(good.proof, entry('wanted'), { ...logTrust(), origin: 'log.example/other' }))).toBe(
      'integrity/audience-mismatch',
    );
    const [witness] = logTrust().witnesses;
    const other = { ...logTrust(), key: witness?.key ?? logTrust().key };
    expect(code(check(good.proof, entry('wanted'), other))).toBe('integrity/signature-missing');
  });

  test('without one of the two signatures of the log is refused (SR-09)', () => {
    for (const at of [0, 1])
      expect(code(check(withLines((lines) => lines.toSpliced(at, 1))))).toBe('integrity/signature-missing');
  });

  test('that lacks a witness is refused, and one witness counts once however often it is there', () => {
    const alone = withLines((lines) => lines.slice(0, 4));
    const twice = withLines((lines) => [...lines.slice(0, 4), ...lines.slice(2, 4)]);
    for (const proof of [alone, twice])
      expect(check(proof)).toMatchObject({ fault: { reason: 'witnesses-missing', detail: '1 of 2' } });
  });

  test('counts a witness with both of its signatures or not at all (SR-09)', () => {
    for (const at of [4, 5])
      expect(code(check(withLines((lines) => lines.toSpliced(at, 1))))).toBe('integrity/witnesses-missing');
  });

  test('with the cosignature of a witness that nobody named is as good as without it', () => {
    const stranger = { name: 'witness.example/z', keyId: utf8('zzzz'), signature: new Uint8Array(72) };
    expect(code(check(withLines((lines) => [...lines, stranger])))).toBe('accepted');
    expect(code(check(withLines((lines) => [...lines.slice(0, 4), stranger])))).toBe('integrity/witnesses-missing');
  });

  test('with a cosignature of another tree is refused', async () => {
    const other = await provedEntry('another');
    const moved = withLines((lines) => [...lines.slice(0, 4), ...linesOf(other.proof).slice(4)]);
    expect(code(check(moved))).toBe('integrity/signature-invalid');
  });

  // ENIGM_BIT_STRIDE=1 flips one in every byte.
  test('with one bit flipped anywhere is refused', () => {
    const stride = Number(process.env['ENIGM_BIT_STRIDE'] ?? 13);
    for (let at = 0; at < good.proof.length; at += stride) {
      const spoilt = good.proof.slice();
      spoilt[at] = (spoilt[at] ?? 0) ^ (1 << (at % 8));
      expect([at, check(spoilt).ok]).toEqual([at, false]);
    }
  });
});

describe('a device', () => {
  const judge = (policy: 'off' | 'warn' | 'require', store = memoryStore()) => {
    const parts = { crypto: nodeCrypto, trust: logTrust(policy), store };
    return (proof: Uint8Array | undefined, of = entry('wanted'), isRepair = false) =>
      judgeLogged(parts, { entry: of, isRepair }, proof);
  };

  test('that follows no log asks for none', () => {
    const parts = { crypto: nodeCrypto, trust: undefined, store: memoryStore() };
    expect(unwrap(judgeLogged(parts, { entry: entry('wanted'), isRepair: false }, undefined))).toEqual({ is: 'unasked' });
    expect(unwrap(judge('off')(undefined))).toEqual({ is: 'unasked' });
  });

  test('refuses what is not proved where it must, and says so where it only warns', () => {
    expect(unwrap(judge('require')(good.proof))).toMatchObject({ is: 'proved', proved: { size: 5 } });
    expect(code(judge('require')(undefined))).toBe('integrity/log-proof-missing');
    expect(unwrap(judge('warn')(undefined))).toMatchObject({ is: 'unproved', fault: { reason: 'log-proof-missing' } });
    expect(unwrap(judge('warn')(good.proof))).toMatchObject({ is: 'proved' });
  });

  test('never refuses a repair for it, also not one from before what it saw, and says so (SR-12)', async () => {
    const device = judge('require');
    expect(unwrap(device(undefined, entry('wanted'), true))).toMatchObject({ is: 'unproved' });
    const log = newLog();
    unwrap(await log.record([entry('repair')]));
    const early = await log.proof(entry('repair'));
    unwrap(await log.record([entry('wanted')]));
    unwrap(device(await log.proof(entry('wanted'))));
    expect(code(device(early, entry('repair')))).toBe('integrity/log-rollback');
    expect(unwrap(device(early, entry('repair'), true))).toMatchObject({ is: 'proved' });
  });

  test('that saw a larger log takes no smaller one, also after a restart', async () => {
    const log = newLog();
    unwrap(await log.record([entry('wanted')]));
    const early = await log.proof(entry('wanted'));
    unwrap(await log.record([entry('next')], [entry('wanted')]));
    const store = memoryStore();
    expect(code(judge('require', store)(early))).toBe('accepted');
    expect(code(judge('require', store)(await log.proof(entry('wanted'))))).toBe('accepted');
    expect(code(judge('require', store)(early))).toBe('integrity/log-rollback');
    expect(unwrap(judge('warn', store)(early))).toMatchObject({ is: 'unproved', fault: { reason: 'log-rollback' } });
  });

  test('sees two trees of one size for what they are, where even the witnesses were deceived', async () => {
    const store = memoryStore();
    for (const [name, expected] of [
      ['shown to one', 'accepted'],
      ['shown to another', 'integrity/log-split'],
    ] as const) {
      const log = newLog(newWitnesses().slice(0, 2));
      unwrap(await log.record([entry(name)]));
      expect(code(judge('require', store)(await log.proof(entry(name)), entry(name)))).toBe(expected);
    }
  });

  test('that follows another log from now on begins anew with it', async () => {
    const store = memoryStore();
    expect(code(judge('require', store)(good.proof))).toBe('accepted');
    const successor = newLog(newWitnesses('log.example/successor').slice(0, 2), memoryFiles(), 'log.example/successor');
    unwrap(await successor.record([entry('wanted')]));
    const trust = { ...logTrust(), origin: 'log.example/successor' };
    const subject = { entry: entry('wanted'), isRepair: false };
    const judged = judgeLogged({ crypto: nodeCrypto, trust, store }, subject, await successor.proof(entry('wanted')));
    expect(unwrap(judged)).toMatchObject({ is: 'proved', proved: { size: 1 } });
  });

  test('whose memory of the log cannot be read takes nothing but a repair', () => {
    const store = memoryStore();
    unwrap(store.put(`log seen ${origin}`, new Uint8Array(3)));
    expect(code(judge('require', store)(good.proof))).toBe('unavailable/storage-failed');
    expect(code(judge('require', store)(good.proof, entry('wanted'), true))).toBe('accepted');
  });
});
