/** Options that several commands share. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { TpmKind } from '#sim/machine/machine';

export const jsonOption = (what = 'print one JSON object'): Option => new Option('--json', what);

export const tpmOption = (): Option =>
  new Option('--tpm <kind>', 'embedded (in process) or swtpm (a process of its own)').argParser(tpmKind).default('embedded');

export const withDirectory = (command: Command, home: string): Command =>
  command.option('--directory <path>', 'where devices and far ends are kept', home);

const tpmKind = (value: string): TpmKind => {
  if (value !== 'embedded' && value !== 'swtpm') throw new InvalidArgumentError('embedded or swtpm.');
  return value;
};
