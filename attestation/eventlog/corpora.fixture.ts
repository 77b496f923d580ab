/** For tests: real logs. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { corpusFolder } from '../corpora.fixture.ts';

export const corpusBytes = (name: string): Uint8Array => readFileSync(join(corpusFolder, 'eventlog', name));
export const corpusJson = (name: string): unknown => JSON.parse(Buffer.from(corpusBytes(name)).toString('utf8'));

/** The log inside the go-attestation dump, beside the registers that the TPM held. */
export const windowsDump = (): { readonly log: Uint8Array; readonly pcrs: ReadonlyMap<number, string> } => {
  const dump = corpusJson('windows_gcp_shielded_vm.json') as {
    readonly Log: { readonly Raw: string; readonly PCRs: readonly { readonly Index: number; readonly Digest: string }[] };
  };
  return {
    log: Buffer.from(dump.Log.Raw, 'base64'),
    pcrs: new Map(dump.Log.PCRs.map(({ Index, Digest }) => [Index, Buffer.from(Digest, 'base64').toString('hex')])),
  };
};

export interface IndexRow {
  readonly name: string;
  readonly facts: string;
}

/** The rows of the INDEX about event logs. */
export const indexRows = (): readonly IndexRow[] =>
  readFileSync(join(corpusFolder, 'INDEX.md'), 'utf8')
    .split('\n')
    .map((line) => line.split('|').map((cell) => cell.trim()))
    .filter(([, file]) => file?.startsWith('eventlog/'))
    .map(([, file = '', , , , facts = '']) => ({ name: file.slice('eventlog/'.length), facts }));
