/** enigmctl release show, log, archive: what an office has, who did what, and what a technician carries of it. */
import { join } from 'node:path';
import type { Command } from 'commander';
import { type AddedFile, writeArchive } from '#agents/release/archive';
import { carriedOffer } from '#agents/release/carried-offer';
import { readKey } from '#agents/release/keys';
import { atDesk, type OfficeParts, openOffice } from '#agents/release/office';
import { type ReleaseView, viewReleases } from '#agents/release/overview';
import { deny, ok, type Result } from '#hal/core/result';
import { type LogRecord, logHead, readLog } from '#ota-client/repository/office-log';
import { textOfInstant } from '#ota-client/trust/time';
import { answer } from '../console.ts';
import type { Run } from '../context.ts';
import { type KeyOptions, pinText, placesOf, tpmDevice, tpmText } from './release-keys.ts';
import { officeParts } from './release-office.ts';

export const releaseViewCommands = (release: Command, run: Run): void => {
  release
    .command('show')
    .argument('<folder>', 'of the office')
    .argument('[id]', 'of one release; all of them without it')
    .description('what the office has, and what each release waits for')
    .action(
      run(async ({ console }, folder: string, id: string | undefined) => {
        const views = await viewReleases(officeParts(), folder);
        if (!views.ok) return console.refuse(views.fault);
        const shown = id === undefined ? views.value : views.value.filter((view) => view.id === id);
        if (id !== undefined && shown.length === 0) return console.refuse(deny('unavailable', 'not-found', id).fault);
        return answer(console, { ok: true, value: shown }, (releases) => ({
          text: releases.length === 0 ? 'no release yet' : releases.map(line).join('\n'),
          json: { releases },
        }));
      }),
    );
  archiveCommand(release, run);
  release
    .command('log')
    .argument('<folder>', 'of the office')
    .description('who did what when; the chain of records is verified')
    .action(
      run(async ({ console }, folder: string) => {
        const parts = officeParts();
        const read = await atDesk(parts, folder, [], ({ store }) => {
          const records = readLog(parts.crypto, store);
          const head = logHead(store);
          if (!records.ok) return records;
          return head.ok ? { ok: true, value: { records: records.value, head: head.value.digest } } : head;
        });
        return answer(console, read, ({ records, head }) => ({
          text: [...records.map(recordLine), `head ${head}`].join('\n'),
          json: { records, head },
        }));
      }),
    );
};

const archiveCommand = (release: Command, run: Run): void => {
  release
    .command('archive')
    .argument('<folder>', 'of the office')
    .requiredOption('--out <file>', 'where the archive goes; any tar can read it')
    .option('--offer <id>', 'the release that devices are to take, where no director can say it; with --key')
    .option('--key <file>', 'of a technician whom a published grant names')
    .option('--tpm <device>', tpmText, tpmDevice)
    .option('--pin <file>', pinText)
    .description('all that is published, in one file, for devices that reach no network')
    .action(
      run(async ({ console }, folder: string, { out, ...said }: ArchiveOptions) => {
        const parts = officeParts();
        const office = openOffice(parts.crypto, folder);
        if (!office.ok) return console.refuse(office.fault);
        const added = await directorsPart(parts, folder, said);
        if (!added.ok) return console.refuse(added.fault);
        const archived = await writeArchive(office.value.repository.files, join(folder, 'repository'), out, added.value);
        return answer(console, archived, ({ files, lengthBytes }) => ({
          text: `${out} holds ${files} files, ${lengthBytes} bytes`,
          json: { archive: out, files, lengthBytes },
        }));
      }),
    );
};

interface ArchiveOptions extends KeyOptions {
  readonly out: string;
  readonly offer?: string;
  readonly key?: string;
}

const directorsPart = async (
  parts: OfficeParts,
  folder: string,
  { offer, key, ...how }: Omit<ArchiveOptions, 'out'>,
): Promise<Result<readonly AddedFile[]>> => {
  if (offer === undefined && key === undefined) return ok([]);
  if (offer === undefined || key === undefined) return deny('protocol', 'config-invalid', '--offer and --key go together');
  const technician = readKey(key, placesOf(how));
  if (!technician.ok) return technician;
  const added = await carriedOffer(parts, folder, offer, technician.value);
  return added.ok ? ok([added.value]) : added;
};

const line = (view: ReleaseView): string => {
  const { id, class: name, state, counter, floorEpoch, hardware, permille, author, reviewers, verityRoot } = view;
  return [
    `${id}: ${name} ${counter}, ${state}${state === 'rolling' ? ` to ${permille} of 1000` : ''}`,
    ...(hardware === undefined ? [] : [`for ${hardware.join(', ')}`]),
    ...(floorEpoch === undefined ? [] : [`floor ${floorEpoch}`]),
    `by ${author}${reviewers.length === 0 ? '' : `, reviewed by ${reviewers.join(', ')}`}`,
    ...(view.failedOn.length === 0 ? [] : [`failed on ${view.failedOn.length}`]),
    ...(view.waitingFor === undefined || view.waitingFor.length === 0 ? [] : [`waits for ${view.waitingFor.join(', ')}`]),
    ...(verityRoot === undefined ? [] : [`hash tree ${verityRoot}`]),
  ].join('; ');
};

const recordLine = ({ sequence, atMs, by, did, release, detail }: LogRecord): string =>
  `${String(sequence).padStart(4)}  ${textOfInstant(atMs)}  ${did.padEnd(9)} ${release}  ${by}${detail === '' ? '' : `  (${detail})`}`;
