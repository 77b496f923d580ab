/**
 * usage: tsx sim/image/main.ts [FOLDER]
 * Builds the image of a simulated machine into FOLDER (build/image). Needs no root, no loop device, no container.
 */
import { join, resolve } from 'node:path';
import { imageOfBuild } from './image.ts';
import { missingTools } from './tools.ts';

const project = join(import.meta.dirname, '../..');
const folder = resolve(process.argv[2] ?? join(project, 'build/image'));
const say = (line: string) => void process.stderr.write(`${line}\n`);
const missing = missingTools();
if (missing.length > 0) {
  say(`make image needs ${missing.join(', ')}: make setup-machine installs them`);
  process.exit(1);
}
const { root, uki } = await imageOfBuild(project, folder, say);
say(`${folder}: root ${root.length} bytes, boot image ${uki.file.length} bytes`);
