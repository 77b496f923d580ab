/** Options that several commands share. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { TpmKind } from '#sim/machine/machine';
import type { DeviceKind } from './places.ts';

export const jsonOption = (what = 'print one JSON object'): Option => new Option('--json', what);

/** Which device is meant: each kind has one of its own. */
export interface DeviceOptions {
  readonly tpm: TpmKind;
  readonly qemu?: boolean;
}

export const withDevice = (command: Command): Command =>
  command
    .addOption(
      new Option('--tpm <kind>', 'embedded (in process) or swtpm (a process of its own)').argParser(tpmKind).default('embedded'),
    )
    .addOption(new Option('--qemu', 'a whole machine in the emulator: our image, its firmware, its TPM').conflicts('tpm'));

export const kindOf = ({ tpm, qemu = false }: DeviceOptions): DeviceKind => (qemu ? 'qemu' : tpm);

export const withDirectory = (command: Command, home: string): Command =>
  command.option('--directory <path>', 'where devices and far ends are kept', home);

const tpmKind = (value: string): TpmKind => {
  if (value !== 'embedded' && value !== 'swtpm') throw new InvalidArgumentError('embedded or swtpm.');
  return value;
};
