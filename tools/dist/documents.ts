/** Papers of a package: how to use it, under which licences its parts come, what is in it. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { InstalledFile } from '#agents/package/files';
import { concat, utf8 } from '#hal/core/bytes';

const folder = 'usr/share/doc/enigm-device';

/** @param libraries folders from the root of the project. @param bill of materials */
export const documents = (
  project: string,
  node: string,
  libraries: readonly string[],
  bill: Uint8Array,
): readonly InstalledFile[] => {
  const file = (name: string, read: () => Uint8Array): InstalledFile => ({ path: `${folder}/${name}`, mode: 0o644, read });
  const copied = (name: string, from: string) => file(name, () => new Uint8Array(readFileSync(from)));
  return [
    copied('README.md', join(import.meta.dirname, 'README.md')),
    copied('CHANGELOG.md', join(project, 'CHANGELOG.md')),
    // The name that Debian Policy §12.5 asks for.
    copied('copyright', join(project, 'LICENSE')),
    copied('LICENSE.node', join(dirname(node), '../LICENSE')),
    file('LICENSES.libraries', () => concat(...libraries.flatMap((library) => licenceOf(project, library)))),
    file('enigm-device.cdx.json', () => bill),
  ];
};

const licenceOf = (project: string, library: string): readonly Uint8Array[] => {
  const names = readdirSync(join(project, library)).filter((name) => /^(?:licen[cs]e|notice|copying)/i.test(name));
  const { license } = JSON.parse(readFileSync(join(project, library, 'package.json'), 'utf8')) as { readonly license?: string };
  return [
    utf8(`\n=== ${library} (${license ?? 'see below'})\n\n`),
    ...names.toSorted().map((name) => new Uint8Array(readFileSync(join(project, library, name)))),
  ];
};
