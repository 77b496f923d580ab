/** enigmctl release: a publisher's office in a folder, and the life of a release in it. Needs no device. */
import type { Command } from 'commander';
import { addDraft, founding, isOfAll, reissue } from '#agents/release/drafts';
import { publishFounding } from '#agents/release/founding';
import { atDesk } from '#agents/release/office';
import { publishReissue } from '#agents/release/reissue';
import { toBase64 } from '#hal/core/bytes';
import { deny, type Result } from '#hal/core/result';
import {
  completeRelease,
  type Desk,
  haltRelease,
  renewRepository,
  reportFailure,
  reviewRelease,
  revokeRelease,
  rollRelease,
  stageRelease,
} from '#ota-client/repository/publisher';
import type { ReleaseRecord } from '#ota-client/repository/release-record';
import { type BundleClass, bundleClasses } from '#ota-client/trust/release';
import { answer, type Console } from '../console.ts';
import type { Run } from '../context.ts';
import { segmentProgress } from '../segment-progress.ts';
import { grantCommand } from './release-grant.ts';
import { type KeyOptions, pinText, readSigner, tpmDevice, tpmText } from './release-keys.ts';
import { liveRootsIn, officeParts, shownRelease } from './release-office.ts';
import { releaseOpeningCommands } from './release-opening.ts';
import { releaseSigningCommands } from './release-signing.ts';
import { releaseViewCommands } from './release-view.ts';

export const releaseCommands = (program: Command, run: Run): void => {
  const release = program
    .command('release')
    .description('a publisher’s office in a folder: from a draft to what devices run; the people are its users');
  releaseOpeningCommands(release, run);
  addCommand(release, run);
  grantCommand(release, run);
  stepOf(release, 'review', 'look at a draft, as somebody who is not its author')
    .requiredOption('--reviewer <name>', 'who looked at it')
    .action(
      run(({ console }, folder: string, id: string, { reviewer }: { readonly reviewer: string }) =>
        step(console, folder, (desk) => reviewRelease(desk, id, reviewer)),
      ),
    );
  releaseSigningCommands(release, run);
  stageCommand(release, run);
  renewCommand(release, run);
  promoteCommand(release, run);
  stepOf(release, 'halt', 'offer it to nobody any more; it goes on with a review')
    .requiredOption('--by <name>', 'who halts it')
    .action(
      run(({ console }, folder: string, id: string, { by }: Named) => step(console, folder, (desk) => haltRelease(desk, id, by))),
    );
  stepOf(release, 'report', 'a device fell back from it; enough of them halt the rollout')
    .requiredOption('--device <handle>', 'by which the fleet knows the device; each counts once')
    .action(
      run(({ console }, folder: string, id: string, { device }: { readonly device: string }) =>
        step(console, folder, (desk) => reportFailure(desk, id, device)),
      ),
    );
  stepOf(release, 'revoke', 'withdraw it: offered to nobody at once, and left out of the next list of its class')
    .requiredOption('--by <name>', 'who revokes it')
    .option('--raise-floor', 'what follows for its hardware stands on a higher floor: nobody goes back to it')
    .action(
      run(({ console }, folder: string, id: string, { by, raiseFloor = false }: Named & { readonly raiseFloor?: boolean }) =>
        step(console, folder, (desk) => revokeRelease(desk, id, by, raiseFloor)),
      ),
    );
  releaseViewCommands(release, run);
};

interface Named {
  readonly by: string;
}

const stepOf = (release: Command, name: string, description: string): Command =>
  release.command(name).argument('<folder>', 'of the office').argument('<id>', 'of the release').description(description);

/** One call at the desk that asks no verifier. */
const step = async (
  console: Console,
  folder: string,
  work: (desk: Desk) => Result<ReleaseRecord> | Promise<Result<ReleaseRecord>>,
): Promise<number> => answer(console, await atDesk(officeParts(), folder, [], work), shownRelease);

interface AddOptions {
  readonly class: string;
  readonly image?: string;
  readonly file?: string;
  readonly counter?: string;
  readonly floor: string;
  readonly hardware?: readonly string[];
  readonly author: string;
  readonly base?: readonly string[];
}

const addCommand = (release: Command, run: Run): void => {
  stepOf(release, 'add', 'make a draft of an image, or of a file of another class')
    .requiredOption('--author <name>', 'who made it')
    .option('--class <class>', `one of ${bundleClasses.join(', ')}`, 'os')
    .option('--image <file>', 'the root file system: of os, and of repair, which installs without an appraisal')
    .option('--file <file>', 'of every other class: the message, encoded or as JSON, or the firmware')
    .option('--counter <number>', 'higher than that of every release of the class before; a bundle or a model has its own')
    .option('--floor <epoch>', 'the floor on which an image stands, 0 to 64', '0')
    .option('--hardware <class...>', 'what it is for; an image is for one')
    .option('--base <file...>', 'images that devices run now: downloads from these are small')
    .action(
      run(async ({ console }, folder: string, id: string, options: AddOptions) => {
        const { image, file = image, counter, floor, hardware = [], base = [], author } = options;
        const name = bundleClasses.find((known) => known === options.class);
        if (name === undefined) return console.refuse(deny('protocol', 'config-invalid', `no class ${options.class}`).fault);
        if (file === undefined || (image !== undefined) !== isImage(name))
          return console.refuse(
            deny('protocol', 'config-invalid', `${name} takes ${isImage(name) ? '--image' : '--file'}`).fault,
          );
        const numbers = { floorEpoch: Number(floor), ...(counter === undefined ? {} : { counter: Number(counter) }) };
        const input = { id, class: name, author, file, hardware, bases: base, ...numbers };
        const parts = officeParts();
        const told = segmentProgress(console.say, parts.clock);
        return answer(console, await addDraft(parts, folder, input, told), ({ state }) => ({
          text: `${id} is a draft of class ${name}; somebody else than ${author} reviews it next`,
          json: { id, class: name, state },
        }));
      }),
    );
};

const isImage = (name: BundleClass): boolean => name === 'os' || name === 'repair';

interface StageOptions extends KeyOptions {
  readonly key: string;
  readonly references?: string;
}

const publishAll = { [founding]: publishFounding, [reissue]: publishReissue } as const;

const stageCommand = (release: Command, run: Run): void => {
  stepOf(release, 'stage', `publish the signed list with this release in it, or all lists: ${founding}, ${reissue}`)
    .requiredOption('--key <file>', 'of the publishing machine, which signs snapshot and timestamp')
    .option('--pin <file>', pinText)
    .option('--tpm <device>', tpmText, tpmDevice)
    .option('--references <file>', 'of images: roots whose reference values the verifier has, one a line in hexadecimal')
    .action(
      run(async ({ console }, folder: string, id: string, options: StageOptions) => {
        const signer = readSigner(options.key, options);
        if (!signer.ok) return console.refuse(signer.fault);
        if (isOfAll(id))
          return answer(
            console,
            await publishAll[id === founding ? founding : reissue](officeParts(), folder, [signer.value]),
            (root) => ({
              text: `${folder}/repository is there to be served; its root goes into the image of a device`,
              json: { repository: `${folder}/repository`, root: toBase64(root) },
            }),
          );
        const live = liveRootsIn(options.references);
        if (!live.ok) return console.refuse(live.fault);
        const staged = await atDesk(officeParts(), folder, live.value, (desk) => stageRelease(desk, id, [signer.value]));
        return answer(console, staged, shownRelease);
      }),
    );
};

const renewCommand = (release: Command, run: Run): void => {
  release
    .command('renew')
    .argument('<folder>', 'of the office')
    .requiredOption('--key <file>', 'of the publishing machine')
    .option('--pin <file>', pinText)
    .option('--tpm <device>', tpmText, tpmDevice)
    .description('sign snapshot and timestamp anew, which is due every day')
    .action(
      run(async ({ console }, folder: string, options: KeyOptions & { readonly key: string }) => {
        const signer = readSigner(options.key, options);
        if (!signer.ok) return console.refuse(signer.fault);
        const renewed = await atDesk(officeParts(), folder, [], (desk) => renewRepository(desk, [signer.value]));
        return answer(console, renewed, () => ({ text: 'snapshot and timestamp are new', json: {} }));
      }),
    );
};

interface PromoteOptions extends Named {
  readonly permille?: string;
  readonly complete?: boolean;
  readonly references?: string;
}

const promoteCommand = (release: Command, run: Run): void => {
  stepOf(release, 'promote', 'offer a staged release, widen its rollout, or complete it')
    .requiredOption('--by <name>', 'who decides')
    .option('--permille <number>', 'how many of a thousand devices it is offered to')
    .option('--complete', 'all of them, for good')
    .option('--references <file>', 'of images, as for stage')
    .action(
      run(async ({ console }, folder: string, id: string, { by, permille, complete = false, references }: PromoteOptions) => {
        if ((permille !== undefined) === complete)
          return console.refuse(deny('protocol', 'config-invalid', 'either --permille or --complete').fault);
        const live = liveRootsIn(references);
        if (!live.ok) return console.refuse(live.fault);
        const promoted = await atDesk(officeParts(), folder, live.value, (desk) =>
          complete ? completeRelease(desk, id, by) : rollRelease(desk, id, Number(permille), by),
        );
        return answer(console, promoted, shownRelease);
      }),
    );
};
