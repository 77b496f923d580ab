/** enigmctl release key, init, reissue: who may sign at a publisher's office, and its first metadata. */
import type { Command } from 'commander';
import { founding, reissue } from '#agents/release/drafts';
import { beginOffice } from '#agents/release/founding';
import { type KeyRole, keyRoles } from '#agents/release/key-file';
import { makeKey, type PublicKey, publicKeyJson, publicKeyOf, readPublicKeys } from '#agents/release/keys';
import { openTrialOffice } from '#agents/release/office-for-trials';
import { beginReissue } from '#agents/release/reissue';
import { toBase64, utf8 } from '#hal/core/bytes';
import { deny, ok, type Result } from '#hal/core/result';
import { writeAtomically } from '#hal/linux/atomic-file';
import { systemRandom } from '#hal/linux/random';
import { answer, type Console } from '../console.ts';
import type { Run } from '../context.ts';
import { type KeyOptions, pinText, placesOf, tpmDevice, tpmText } from './release-keys.ts';
import { officeParts } from './release-office.ts';

interface NewKeyOptions extends KeyOptions {
  readonly role: string;
  readonly out: string;
  readonly public: string;
  readonly pkcs11?: string;
  readonly token?: string;
  readonly sealed?: boolean;
}

interface InitOptions {
  readonly keys?: string;
  readonly custodian?: readonly string[];
  readonly out?: string;
  readonly haltAfter: string;
}

export const releaseOpeningCommands = (release: Command, run: Run): void => {
  release
    .command('key')
    .argument('<name>', 'of the custodian')
    .requiredOption('--role <role>', `what it signs for: one of ${keyRoles.join(', ')}`)
    .requiredOption('--out <file>', 'where the secret goes; it never leaves this machine')
    .requiredOption('--public <file>', 'where the public half goes, for the office')
    .option('--pkcs11 <module>', 'make the classical half in a token, by its vendor’s module; with --token and --pin')
    .option('--token <label>', 'of the token')
    .option('--sealed', 'what lies in no token is sealed by the TPM of this machine, under a PIN; with --pin')
    .option('--tpm <device>', tpmText, tpmDevice)
    .option('--pin <file>', pinText)
    .description('make the key of one custodian, on the custodian’s own machine')
    .action(
      run(async ({ console }, name: string, options: NewKeyOptions) => answer(console, await newKey(name, options), shownKey)),
    );
  release
    .command('init')
    .argument('<folder>', 'where the office will be')
    .option('--custodian <file...>', 'public keys of everybody who will sign; each role needs two, the publishing machine one')
    .option('--out <file>', 'where the request goes that they all sign first')
    .option('--keys <folder>', 'for trials: keys of all custodians in one place, made where there are none')
    .option(
      '--halt-after <number>',
      'devices, at most 256, that fall back from a release before its rollout halts by itself',
      '2',
    )
    .description('open an office: a repository in which every class is empty')
    .action(run(({ console }, folder: string, options: InitOptions) => init(console, folder, options)));
  release
    .command('reissue')
    .argument('<folder>', 'of the office')
    .option('--custodian <file...>', 'public keys of everybody who will sign from then on; a new key has a new name')
    .requiredOption('--out <file>', 'where the request goes')
    .description('root and all lists anew, before they expire or when a custodian is replaced')
    .action(run(({ console }, folder: string, options: ReissueOptions) => reissueAll(console, folder, options)));
};

interface ReissueOptions {
  readonly custodian?: readonly string[];
  readonly out: string;
}

const reissueAll = async (console: Console, folder: string, { custodian, out }: ReissueOptions): Promise<number> => {
  const halves = custodian === undefined ? ok(undefined) : readPublicKeys(custodian);
  if (!halves.ok) return console.refuse(halves.fault);
  const begun = await beginReissue(officeParts(), folder, halves.value);
  if (!begun.ok) return console.refuse(begun.fault);
  return answer(console, writeAtomically(out, begun.value, 0o644), () => ({
    text: `${out} is for the custodians to sign; then: enigmctl release accept ${folder} ${reissue} …`,
    json: { release: reissue, request: out },
  }));
};

const newKey = async (name: string, options: NewKeyOptions): Promise<Result<PublicKey>> => {
  const { role: wanted, out, public: place, pkcs11, token: label, sealed: isSealed = false } = options;
  const role: KeyRole | undefined = keyRoles.find((known) => known === wanted);
  if (role === undefined) return deny('protocol', 'config-invalid', `no role ${wanted}`);
  if ((pkcs11 === undefined) !== (label === undefined))
    return deny('protocol', 'config-invalid', '--pkcs11 and --token go together');
  const token = pkcs11 === undefined || label === undefined ? undefined : { module: pkcs11, token: label, key: name };
  const made = await makeKey(out, { name, role, token, isSealed }, systemRandom, placesOf(options));
  if (!made.ok) return made;
  const half = publicKeyOf(made.value);
  const stored = writeAtomically(place, utf8(`${JSON.stringify(publicKeyJson(half))}\n`), 0o644);
  return stored.ok ? ok(half) : stored;
};

const shownKey = (key: PublicKey) => ({
  text: `${key.name} signs for ${key.role}; the ${key.role === 'technician' ? 'grant' : 'office'} needs the public half`,
  json: publicKeyJson(key),
});

const init = async (console: Console, folder: string, { keys, custodian, out, haltAfter }: InitOptions): Promise<number> => {
  const haltAfterFailures = Number(haltAfter);
  if (keys !== undefined && custodian === undefined)
    return answer(console, await openTrialOffice(officeParts(), systemRandom, folder, keys, haltAfterFailures), (root) => ({
      text: `${folder}/repository is there to be served; its root goes into the image of a device`,
      json: { repository: `${folder}/repository`, root: toBase64(root) },
    }));
  if (keys !== undefined || custodian === undefined || out === undefined)
    return console.refuse(deny('protocol', 'config-invalid', 'either --keys, or --custodian with --out').fault);
  const halves = readPublicKeys(custodian);
  if (!halves.ok) return console.refuse(halves.fault);
  const begun = await beginOffice(officeParts(), folder, halves.value, haltAfterFailures);
  if (!begun.ok) return console.refuse(begun.fault);
  return answer(console, writeAtomically(out, begun.value, 0o644), () => ({
    text: `${out} is for every custodian to sign; then: enigmctl release accept ${folder} ${founding} …`,
    json: { release: founding, request: out },
  }));
};
