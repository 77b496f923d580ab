/**
 * Writes docs/mission.md from the tables beside this file.
 *
 * usage: tsx tools/ledger/main.ts [--check]
 * With --check it writes nothing, and exits 1 where the page is not what it would write.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { missionDocument } from './document.ts';
import { sections } from './rows.ts';

const path = join(import.meta.dirname, '../../docs/mission.md');
const words = process.argv.slice(2);
if (words.some((word) => word !== '--check')) {
  process.stderr.write('usage: tsx tools/ledger/main.ts [--check]\n');
  process.exit(2);
}

const text = missionDocument(sections);
if (words.length === 0) writeFileSync(path, text);
else if (readFileSync(path, 'utf8') !== text) {
  process.stderr.write('docs/mission.md is not current: run tsx tools/ledger/main.ts\n');
  process.exit(1);
}
