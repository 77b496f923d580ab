/** The command line of the vectors runner, apart from the process it runs in. */
import { parseArgs } from 'node:util';
import { attempt, deny, ok, type Result } from '#hal/core/result';
import { readVectors, type VectorFile, vectorFiles } from './files.ts';
import { kinds } from './registry.ts';
import { fileLines, jsonReport, totalLine } from './report.ts';
import { type FileReport, runFile } from './run.ts';

export interface Output {
  out(line: string): void;
  error(line: string): void;
}

const help = `Run test vectors of cryptography against both back ends of this toolkit.

usage: npm run vectors -- [--json] PATH...

PATH is a vector file, or a directory: every .json file beneath it is run, in sorted order.
Every test runs once on node:crypto (OpenSSL) and once on @noble, and each result counts: a file of 100 tests
gives 200. What a back end cannot do is skipped and named. A file of another kind counts nothing and says so.

  --json   print one JSON object instead of lines
  --help   print this text

exit code: 0 nothing failed, 1 a vector failed, 2 the command or a file cannot be read

kinds:
${kinds.map(({ name }) => `  ${name}`).join('\n')}`;

/** @returns the exit code: 0 nothing failed, 1 a vector failed, 2 usage, an unreadable path or no JSON */
export const vectors = (args: readonly string[], output: Output): 0 | 1 | 2 => {
  const parsed = parse(args);
  if (!parsed.ok) return refuse(parsed.fault.detail, output);
  const { values, positionals } = parsed.value;
  if (values.help) {
    output.out(help);
    return 0;
  }
  if (positionals.length === 0) return refuse('Name a vector file or a directory; --help says more.', output);
  const files = readAll(positionals);
  if (!files.ok) return refuse(files.fault.detail, output);
  const reports = files.value.map(({ file, content }): FileReport => {
    const report = runFile(file, content);
    if (!values.json) for (const line of fileLines(report)) output.out(line);
    return report;
  });
  output.out(values.json ? jsonReport(reports) : totalLine(reports));
  return reports.some((report) => report.failed > 0) ? 1 : 0;
};

const parse = (args: readonly string[]) =>
  attempt(
    () =>
      parseArgs({
        args: [...args],
        options: { json: { type: 'boolean', default: false }, help: { type: 'boolean', default: false } },
        allowPositionals: true,
      }),
    (cause) => deny('protocol', 'config-invalid', cause),
  );

/** All files are read before the first is run: a spoiled one among many is reported at once. */
const readAll = (paths: readonly string[]): Result<readonly VectorFile[]> => {
  const contents: VectorFile[] = [];
  for (const path of paths) {
    const files = vectorFiles(path);
    if (!files.ok) return files;
    for (const file of files.value) {
      const content = readVectors(file);
      if (!content.ok) return content;
      contents.push(content.value);
    }
  }
  return ok(contents);
};

const refuse = (sentence: string | undefined, output: Output): 2 => {
  output.error(`vectors: ${sentence}`);
  return 2;
};
