/** Every file that is installed on a device: the package installs exactly these, and so does the image of a machine. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { rules, schema } from '#agents/decision/policy';
import { utf8 } from '#hal/core/bytes';
import { sysusers, tmpfiles } from './accounts.ts';
import { exampleSite } from './example-site.ts';
import { installed } from './places.ts';
import { targetName, units } from './units.ts';

export type InstalledFile =
  | { readonly path: string; readonly mode: 0o644 | 0o755; readonly read: () => Uint8Array }
  | { readonly path: string; readonly target: string };

export interface InstalledParts {
  /** The pinned Node.js. */
  readonly node: string;
  /** dist/device. */
  readonly programs: string;
  /** build/native/tpm.node. */
  readonly addon: string;
}

const enigmctl = `#!/bin/sh
exec ${installed.node} --no-warnings ${installed.programs}/start.cjs ${installed.programs}/enigmctl.cjs "$@"
`;

/** @returns paths without a slash before them, sorted */
export const installedFiles = ({ node, programs, addon }: InstalledParts): readonly InstalledFile[] =>
  [
    copied(installed.node, 0o755, node),
    copied(installed.addon, 0o755, addon),
    ...readdirSync(programs).map((name) => copied(`${installed.programs}/${name}`, 0o644, join(programs, name))),
    written('/usr/bin/enigmctl', enigmctl, 0o755),
    ...[...units()].map(([name, text]) => written(`/usr/lib/systemd/system/${name}`, text)),
    { path: `usr/lib/systemd/system/multi-user.target.wants/${targetName}`, target: `../${targetName}` },
    written('/usr/lib/sysusers.d/enigm-device.conf', sysusers()),
    written('/usr/lib/tmpfiles.d/enigm-device.conf', tmpfiles()),
    written('/usr/share/enigm/site.example.json', `${JSON.stringify(exampleSite, null, 2)}\n`),
    // To be read: what counts is what the mind was built with.
    written('/usr/share/enigm/policy.cedarschema', schema.trimStart()),
    written('/usr/share/enigm/policy.cedar', `${rules.map(({ id, cedar }) => `@id("${id}")\n${cedar}\n`).join('\n')}`),
  ].toSorted((one, other) => (one.path < other.path ? -1 : 1));

const copied = (path: string, mode: 0o644 | 0o755, from: string): InstalledFile => ({
  ...{ path: path.slice(1), mode },
  read: () => new Uint8Array(readFileSync(from)),
});

const written = (path: string, text: string, mode: 0o644 | 0o755 = 0o644): InstalledFile => ({
  ...{ path: path.slice(1), mode },
  read: () => utf8(text),
});
