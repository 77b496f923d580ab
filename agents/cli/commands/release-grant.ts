/** enigmctl release grant: leave for a technician to say, for some days and without a network, which release a device takes. */
import type { Command } from 'commander';
import { addGrant, maxGrantDays } from '#agents/release/grants';
import { readPublicKeys } from '#agents/release/keys';
import { maxGrantUses } from '#ota-client/trust/field-grant';
import { answer } from '../console.ts';
import type { Run } from '../context.ts';
import { officeParts } from './release-office.ts';

interface GrantOptions {
  readonly author: string;
  readonly technician: readonly string[];
  readonly hardware: string;
  readonly first: string;
  readonly last: string;
  readonly uses: string;
  readonly days: string;
}

export const grantCommand = (release: Command, run: Run): void => {
  release
    .command('grant')
    .argument('<folder>', 'of the office')
    .argument('<id>', 'of the grant, among the releases')
    .requiredOption('--author <name>', 'who made it')
    .requiredOption('--technician <file...>', 'public keys of technicians, each of whom may speak alone')
    .requiredOption('--hardware <class>', 'the one class of devices that it is for; it takes the place of the grant before')
    .requiredOption('--first <counter>', 'of the releases that may be named')
    .requiredOption('--last <counter>', 'the last of them')
    .option('--uses <number>', `releases that one device takes under it, 1 to ${maxGrantUses}`, '1')
    .option('--days <number>', `from now, 1 to ${maxGrantDays}`, '7')
    .description('make a draft of a grant; it is reviewed, signed and staged as a release is')
    .action(
      run(async ({ console }, folder: string, id: string, options: GrantOptions) => {
        const { author, technician, hardware, first, last, uses, days } = options;
        const technicians = readPublicKeys(technician);
        if (!technicians.ok) return console.refuse(technicians.fault);
        const input = { id, author, hardware, technicians: technicians.value, uses: Number(uses), days: Number(days) };
        const added = await addGrant(officeParts(), folder, {
          ...input,
          releases: { first: Number(first), last: Number(last) },
        });
        return answer(console, added, ({ state }) => ({
          text: `${id} is a draft of class grants; somebody else than ${author} reviews it next`,
          json: { id, class: 'grants', state },
        }));
      }),
    );
};
