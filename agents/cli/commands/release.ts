/** enigmctl release: a publisher in a folder. Needs no device. */
import type { Command } from 'commander';
import { type NamedSecret, readKey } from '#agents/release/keys';
import { addDraft, initOffice, type OfficeParts, publishDraft, readRoots, signDraft } from '#agents/release/office';
import { toBase64 } from '#hal/core/bytes';
import { ok, type Result } from '#hal/core/result';
import { nodeCrypto } from '#hal/crypto/node';
import { linuxClock } from '#hal/linux/clock';
import { systemRandom } from '#hal/linux/random';
import type { ReleaseRecord } from '#ota-client/repository/release-record';
import { answer } from '../console.ts';
import type { Run } from '../context.ts';

interface AddOptions {
  readonly image: string;
  readonly counter: string;
  readonly floor: string;
  readonly class: string;
  readonly hardware: string;
  readonly author: string;
  readonly base?: readonly string[];
}

const parts = (): OfficeParts => ({ crypto: nodeCrypto, clock: linuxClock(), random: systemRandom });

export const releaseCommands = (program: Command, run: Run): void => {
  const release = program.command('release').description('publish releases from a folder; each needs two signers and a reviewer');
  release
    .command('init')
    .argument('<folder>', 'where the repository and the drafts go')
    .requiredOption('--keys <folder>', 'keys of all custodians, made where there are none; they lie there in clear')
    .description('make a repository in which every class of files is empty')
    .action(
      run(async ({ console }, folder: string, { keys }: { readonly keys: string }) =>
        answer(console, await initOffice(parts(), folder, keys), (root) => ({
          text: `${folder}/repository is there to be served; its root goes into the image of a device`,
          json: { repository: `${folder}/repository`, root: toBase64(root) },
        })),
      ),
    );
  release
    .command('add')
    .argument('<folder>', 'of the publisher')
    .argument('<id>', 'how the release is called: release-2')
    .requiredOption('--image <file>', 'the root file system')
    .requiredOption('--counter <number>', 'higher than that of every release before')
    .requiredOption('--hardware <class>', 'the hardware class that it is for')
    .requiredOption('--author <name>', 'who made it')
    .option('--floor <epoch>', 'the floor on which it stands, 0 to 64', '0')
    .option('--class <class>', 'os, or repair for a release that installs without an appraisal', 'os')
    .option('--base <file...>', 'images that devices run now: downloads from these are small')
    .description('make a draft of an image')
    .action(
      run(({ console }, folder: string, id: string, { image, base = [], counter, floor, ...said }: AddOptions) => {
        const draft = { ...said, class: said.class as 'os', id, counter: Number(counter), floorEpoch: Number(floor) };
        return answer(console, addDraft(folder, draft, image, base), ({ class: name }) => ({
          text: `${id} is a draft of class ${name}; the two custodians of ${name} sign it next`,
          json: { id, state: 'draft' },
        }));
      }),
    );
  release
    .command('sign')
    .argument('<folder>', 'of the publisher')
    .argument('<id>', 'of the release')
    .requiredOption('--reviewer <name>', 'who looked at it: not its author')
    .requiredOption('--key <file...>', 'keys of the two custodians of its class')
    .description('sign statement and metadata of a draft that somebody has reviewed')
    .action(
      run(
        async (
          { console },
          folder: string,
          id: string,
          options: { readonly reviewer: string; readonly key: readonly string[] },
        ) => {
          const keys = readKeys(options.key);
          return answer(console, keys.ok ? await signDraft(parts(), folder, id, options.reviewer, keys.value) : keys, shown);
        },
      ),
    );
  release
    .command('publish')
    .argument('<folder>', 'of the publisher')
    .argument('<id>', 'of the release')
    .requiredOption('--key <file...>', 'key of the publishing machine')
    .requiredOption('--references <file>', 'roots whose reference values the verifier has, one a line in hexadecimal')
    .option('--permille <number>', 'how many of a thousand devices it is offered to', '1000')
    .description('make a signed release public, or widen its rollout')
    .action(
      run(async ({ console }, folder: string, id: string, options: PublishOptions) => {
        const keys = readKeys(options.key);
        if (!keys.ok) return console.refuse(keys.fault);
        const roots = readRoots(options.references);
        if (!roots.ok) return console.refuse(roots.fault);
        const permille = Number(options.permille);
        return answer(console, await publishDraft(parts(), folder, id, permille, keys.value, roots.value), shown);
      }),
    );
};

interface PublishOptions {
  readonly key: readonly string[];
  readonly references: string;
  readonly permille: string;
}

const readKeys = (paths: readonly string[]): Result<readonly NamedSecret[]> => {
  const keys: NamedSecret[] = [];
  for (const path of paths) {
    const key = readKey(path);
    if (!key.ok) return key;
    keys.push(key.value);
  }
  return ok(keys);
};

const shown = ({ id, state, permille, reviewers }: ReleaseRecord) => ({
  text: `${id} is ${state}${state === 'rolling' ? `, offered to ${permille} of 1000` : ''}`,
  json: { id, state, permille, reviewers },
});
