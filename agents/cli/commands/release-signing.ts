/** enigmctl release request, sign, accept: a file goes to custodians at their own machines, and files come back. */
import type { Command } from 'commander';
import { showRequest, signRequest } from '#agents/release/custodian-desk';
import { withImages } from '#agents/release/image-files';
import { readKey } from '#agents/release/keys';
import { type Accepted, acceptFiles, requestSignatures } from '#agents/release/signatures';
import { ok, type Result } from '#hal/core/result';
import { writeAtomically } from '#hal/linux/atomic-file';
import { answer, type Console } from '../console.ts';
import type { Run } from '../context.ts';
import { readGiven } from '../given-file.ts';
import { type KeyOptions, pinText, placesOf, tpmDevice, tpmText } from './release-keys.ts';
import { officeParts } from './release-office.ts';

interface SignOptions extends KeyOptions {
  readonly request: string;
  readonly key: string;
  readonly image?: string;
  readonly nothingNew?: boolean;
  readonly out: string;
}

export const releaseSigningCommands = (release: Command, run: Run): void => {
  release
    .command('request')
    .argument('<folder>', 'of the office')
    .argument('<id>', 'of the release; of a revoked one, the list without it')
    .requiredOption('--out <file>', 'where the request goes')
    .description('what the custodians are to sign next: of an image its statement, then its list')
    .action(run(({ console }, folder: string, id: string, { out }: { readonly out: string }) => ask(console, folder, id, out)));
  release
    .command('sign')
    .requiredOption('--request <file>', 'from the office')
    .requiredOption('--key <file>', 'of the custodian whose machine this is')
    .option('--pin <file>', pinText)
    .option('--tpm <device>', tpmText, tpmDevice)
    .option('--image <file>', 'the image that is meant, to be compared with what is signed')
    .option('--nothing-new', 'what is signed names only releases that were signed before: a reissue, or a withdrawal')
    .requiredOption('--out <file>', 'where the signatures go, for the office')
    .description('on a custodian’s own machine: show what is asked, and sign what is of this custodian’s role')
    .action(run(({ console }, options: SignOptions) => sign(console, options)));
  release
    .command('accept')
    .argument('<folder>', 'of the office')
    .argument('<id>', 'of the release')
    .argument('<signatures...>', 'files of custodians')
    .description('verify what custodians sent back; with enough of them the release goes on')
    .action(
      run(async ({ console }, folder: string, id: string, paths: readonly string[]) => {
        const files = readAll(paths);
        return files.ok
          ? answer(console, await acceptFiles(officeParts(), folder, id, files.value), (accepted) => shownAccepted(id, accepted))
          : console.refuse(files.fault);
      }),
    );
};

const ask = async (console: Console, folder: string, id: string, out: string): Promise<number> => {
  const parts = officeParts();
  const request = await requestSignatures(parts, folder, id);
  if (!request.ok) return console.refuse(request.fault);
  const shown = await showRequest(parts.crypto, request.value);
  if (!shown.ok) return console.refuse(shown.fault);
  const { digest, lines } = shown.value;
  return answer(console, writeAtomically(out, request.value, 0o644), () => ({
    text: [...lines, `request ${digest}`].join('\n'),
    json: { release: id, request: digest, asks: lines },
  }));
};

const sign = async (console: Console, options: SignOptions): Promise<number> => {
  const { request, key, image, nothingNew = false, out } = options;
  const bytes = readGiven(request);
  if (!bytes.ok) return console.refuse(bytes.fault);
  const held = readKey(key, placesOf(options));
  if (!held.ok) return console.refuse(held.fault);
  const signed = await withImages(image === undefined ? [] : [image], ([meant]) =>
    signRequest(officeParts().crypto, bytes.value, held.value, { image: meant, isNothingNew: nothingNew }),
  );
  if (!signed.ok) return console.refuse(signed.fault);
  const { digest, lines, logHead, signatures } = signed.value;
  return answer(console, writeAtomically(out, signatures, 0o644), () => ({
    text: [...lines, `request ${digest}`, `signed by ${held.value.signer.name}; log of the office at ${logHead}`].join('\n'),
    json: { release: signed.value.release, request: digest, signed: lines, by: held.value.signer.name, logHead },
  }));
};

const shownAccepted = (id: string, { release, waitingFor, isMoreToSign }: Accepted) => ({
  text: [
    release === undefined ? `${id} was taken` : `${id} is ${release.state}`,
    ...(waitingFor.length === 0 ? [] : [`waits for ${waitingFor.join(', ')}`]),
    ...(isMoreToSign ? ['its statement is signed; ask for the list next'] : []),
  ].join('; '),
  json: { id, ...(release === undefined ? {} : { state: release.state }), waitingFor, isMoreToSign },
});

const readAll = (paths: readonly string[]): Result<readonly Uint8Array[]> => {
  const files: Uint8Array[] = [];
  for (const path of paths) {
    const bytes = readGiven(path);
    if (!bytes.ok) return bytes;
    files.push(bytes.value);
  }
  return ok(files);
};
