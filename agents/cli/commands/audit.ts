/** enigmctl audit: list, verify and prove records; check a proof anywhere, without the device. */
import { writeFileSync } from 'node:fs';
import type { Command } from 'commander';
import type { ApiMethods } from '#agents/api/methods';
import { openCheckpoint } from '#agents/audit/checkpoint';
import { equalBytes, toHex } from '#hal/core/bytes';
import { instantText } from '#hal/core/instant-text';
import { decodeMessage, encodeMessage } from '#hal/core/message';
import { attempt, deny, ok, type Result } from '#hal/core/result';
import { appendLeaf, leafHash, rootOf, verifyInclusion } from '#hal/crypto/merkle';
import { nodeCrypto } from '#hal/crypto/node';
import { deviceKeyId, followSuccessions } from '#hal/crypto/succession';
import type { SocketClient } from '#hal/remote/socket-client';
import type { AuditEntry, AuditProof, AuditRecord, AuditStatus } from '#protos/gen/types';
import { answer } from '../console.ts';
import type { Run } from '../context.ts';
import { withDevice } from '../device.ts';
import { readGiven } from '../given-file.ts';

const pageSize = 256;

export const auditCommands = (program: Command, run: Run): void => {
  const audit = program.command('audit').description('the audit log of this device');

  audit
    .command('list')
    .option('--category <name>', 'only records of this category')
    .description('every record that is still whole')
    .action(
      run(({ console, runDirectory }, { category }: { readonly category?: string }) =>
        withDevice(runDirectory, async (device) =>
          answer(console, await readAll(device), (entries) => {
            const records = entries
              .flatMap((entry) => recordOf(entry))
              .filter(({ record }) => category === undefined || record.category === category);
            return { text: records.map(recordLine).join('\n'), json: { records: records.map(recordJson) } };
          }),
        ),
      ),
    );

  audit
    .command('verify')
    .description('recompute the whole tree here and compare it with the signed checkpoint')
    .action(
      run(({ console, runDirectory }) =>
        withDevice(runDirectory, async (device) => {
          const status = await device.call('audit.status', {});
          if (!status.ok) return console.refuse(status.fault);
          const entries = await readAll(device);
          const verified = entries.ok ? verifyTree(status.value, entries.value) : entries;
          return answer(console, verified, ({ size, anchor }) => ({
            text: `${size} records lead to the checkpoint, which both keys signed and the TPM counter ${anchor} anchors; state ${status.value.state}`,
            json: { size, anchor, state: status.value.state, root: toHex(status.value.root) },
          }));
        }),
      ),
    );

  audit
    .command('prove')
    .argument('<index>', 'number of the record')
    .requiredOption('--out <file>', 'where the proof goes')
    .description('a proof that one record is in the log, which anybody can check')
    .action(
      run(({ console, runDirectory }, index: string, { out }: { readonly out: string }) =>
        withDevice(runDirectory, async (device) => {
          if (!/^\d{1,15}$/.test(index))
            return console.refuse({
              category: 'protocol',
              reason: 'field-invalid',
              detail: `not a record number: ${index.slice(0, 40)}`,
            });
          const proof = await device.call('audit.prove', { index: Number(index) });
          if (!proof.ok) return console.refuse(proof.fault);
          const written = attempt(
            () => writeFileSync(out, encodeMessage('AuditProof', proof.value)),
            (cause) => deny('protocol', 'file-unreadable', cause),
          );
          return answer(console, written, () => ({
            text: `record ${index} of ${proof.value.size}, ${proof.value.path.length} hashes, in ${out}`,
            json: { index: Number(index), size: proof.value.size, file: out },
          }));
        }),
      ),
    );

  audit
    .command('check')
    .argument('<file>', 'a proof made by enigmctl audit prove')
    .option('--ours', 'ask this device whether a key of its own signed it, by the row of its keys, that is not revoked')
    .description('check a proof; needs no device unless you ask for it')
    .action(
      run(async ({ console, runDirectory }, file: string, { ours = false }: { readonly ours?: boolean }) => {
        const bytes = readGiven(file);
        const proof = bytes.ok ? decodeMessage('AuditProof', bytes.value) : bytes;
        const held = proof.ok ? checkProof(proof.value) : proof;
        const signer =
          ours && held.ok && proof.ok ? await withDevice(runDirectory, (device) => ownSigner(device, proof.value)) : held;
        const checked = signer.ok ? held : signer;
        return answer(console, checked, ({ record, index, size }) => ({
          text: `holds: record ${index} of ${size}\n${recordLine({ index, record })}`,
          json: { index, size, record: recordJson({ index, record }) },
        }));
      }),
    );
};

export const readAll = async (device: SocketClient<ApiMethods>): Promise<Result<readonly AuditEntry[]>> => {
  const entries: AuditEntry[] = [];
  for (;;) {
    const page = await device.call('audit.list', { fromIndex: entries.length, count: pageSize });
    if (!page.ok) return page;
    entries.push(...page.value.entries);
    if (page.value.entries.length < pageSize) return ok(entries);
  }
};

const verifyTree = (
  status: AuditStatus,
  entries: readonly AuditEntry[],
): Result<{ readonly size: number; readonly anchor: number }> => {
  const checkpoint = openCheckpoint(nodeCrypto, status.checkpoint, status.key);
  if (!checkpoint.ok) return checkpoint;
  const nodes = new Map<string, Uint8Array>();
  const nodeAt = (level: number, index: number) => nodes.get(`${level}/${index}`) ?? new Uint8Array();
  for (const [index, { hash, record }] of entries.entries()) {
    if (record !== undefined && !equalBytes(leafHash(record), hash))
      return deny('integrity', 'audit-tampered', `record ${index}`);
    for (const node of appendLeaf(nodeAt, index, hash)) nodes.set(`${node.level}/${node.index}`, node.hash);
  }
  const { size, root, anchor } = checkpoint.value;
  if (size > entries.length) return deny('integrity', 'audit-tampered', `${size - entries.length} records are missing`);
  return equalBytes(rootOf(nodeAt, size), root) ? ok({ size, anchor }) : deny('integrity', 'audit-tampered', 'root');
};

const checkProof = (
  proof: AuditProof,
): Result<{ readonly record: AuditRecord; readonly index: number; readonly size: number }> => {
  const checkpoint = openCheckpoint(nodeCrypto, proof.checkpoint, proof.key);
  if (!checkpoint.ok) return checkpoint;
  const { size, root } = checkpoint.value;
  if (!verifyInclusion(leafHash(proof.record), proof.index, size, proof.path, root)) return deny('integrity', 'proof-invalid');
  const record = decodeMessage('AuditRecord', proof.record);
  return record.ok ? ok({ record: record.value, index: proof.index, size }) : record;
};

/** The row of successions leads from the key that signed to the one in use, and no key in it verifies after its revocation. */
const ownSigner = async (device: SocketClient<ApiMethods>, { key }: AuditProof): Promise<Result<unknown>> => {
  const list = await device.call('keys.list', {});
  if (!list.ok) return list;
  const { entries, successions } = list.value;
  const ofAudit = entries.filter(({ keyClass }) => keyClass === 'audit');
  const inUse = ofAudit.find(({ state }) => state === 'active')?.keyId ?? new Uint8Array();
  const signer = deviceKeyId(nodeCrypto, key);
  if (ofAudit.some(({ keyId, state }) => state === 'revoked' && equalBytes(keyId ?? inUse, signer)))
    return deny('integrity', 'key-revoked', 'audit');
  return followSuccessions(nodeCrypto, successions, key, inUse);
};

interface Indexed {
  readonly index: number;
  readonly record: AuditRecord;
}

export const recordOf = ({ index, record }: AuditEntry): readonly Indexed[] => {
  const decoded = record === undefined ? undefined : decodeMessage('AuditRecord', record);
  return decoded?.ok ? [{ index, record: decoded.value }] : [];
};

export const recordLine = ({ index, record }: Indexed): string => {
  const what = [record.action, record.resource].filter((word) => word !== undefined).join(' on ');
  const code = record.code === undefined ? '' : `  ${record.code}`;
  const repeats = record.repeats === undefined ? '' : `  and ${record.repeats} more`;
  return `${String(index).padStart(6)}  ${instantText(record.timeMs)}  ${record.category.padEnd(14)} ${record.event.padEnd(22)} ${record.outcome.padEnd(8)}${what}${code}${repeats}`;
};

export const recordJson = ({ index, record }: Indexed) => ({
  index,
  ...Object.fromEntries(Object.entries(record).map(([key, value]) => [key, value instanceof Uint8Array ? toHex(value) : value])),
});
