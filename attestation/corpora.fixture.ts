/** For tests: where the corpora lie, beside the repository and never copied into it. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';

export const corpusFolder = join(process.env['CORPORA_DIR'] ?? join(import.meta.dirname, '../../shared/corpora'), 'attestation');

export const hasCorpora = existsSync(join(corpusFolder, 'INDEX.md'));
