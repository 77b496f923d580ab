/**
 * usage: tsx tools/dist/main.ts [FOLDER]
 * Packs what was built for devices into FOLDER (build/dist): a Debian package, a tarball, a bill of materials. Needs no root.
 * SOURCE_DATE_EPOCH is the time of every file.
 */
import { join, resolve } from 'node:path';
import { buildTimeSeconds } from '#sim/image/tools';
import { distribution } from './dist.ts';

const project = join(import.meta.dirname, '../..');
const folder = resolve(process.argv[2] ?? join(project, 'build/dist'));
const timeSeconds = Number(process.env['SOURCE_DATE_EPOCH'] ?? buildTimeSeconds);
if (!Number.isSafeInteger(timeSeconds) || timeSeconds < 0) throw new Error('SOURCE_DATE_EPOCH: expected whole seconds');
const made = distribution({ project, folder, timeSeconds });
for (const path of Object.values(made)) process.stderr.write(`${path}\n`);
