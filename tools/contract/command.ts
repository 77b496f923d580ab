/** The command line of the contract runner, apart from the process it runs in. */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { attempt, attemptAsync, deny } from '#hal/core/result';
import { contractPorts } from './ports.ts';
import { type PortReport, runContracts } from './run.ts';

export interface Output {
  out(line: string): void;
  error(line: string): void;
}

const defaultTimeoutSeconds = 300;

const help = `Hold somebody else's adapters of this toolkit's ports to the contracts that its own are held to.

usage: npm run contract -- [--json] [--timeout SECONDS] FILE

FILE is a module, in TypeScript or JavaScript. Each export with one of these names is a function without parameters that
promises what the contract begins with:
${contractPorts.map(({ name, exported, gives }) => `  ${exported.padEnd(13)} ${name}: ${gives}`).join('\n')}

  --json     print one JSON object instead of lines
  --timeout  seconds for each clause (default: ${defaultTimeoutSeconds})
  --help     print this text

exit code: 0 every clause holds, 1 one is broken, 2 the command or the file cannot be used

docs/porting.md has a whole example.`;

/** @returns the exit code */
export const contract = async (words: readonly string[], output: Output): Promise<0 | 1 | 2> => {
  const refuse = (sentence: string): 2 => {
    output.error(`contract: ${sentence}`);
    return 2;
  };
  const parsed = attempt(
    () =>
      parseArgs({
        args: [...words],
        options: { json: { type: 'boolean' }, help: { type: 'boolean' }, timeout: { type: 'string' } },
        allowPositionals: true,
      }),
    (cause) => deny('protocol', 'config-invalid', cause),
  );
  if (!parsed.ok) return refuse(parsed.fault.detail ?? 'these words say nothing; --help says more');
  const { values, positionals } = parsed.value;
  if (values.help) {
    output.out(help);
    return 0;
  }
  const [file, ...more] = positionals;
  if (file === undefined || more.length > 0) return refuse('name one file; --help says more');
  const timeoutSeconds = Number(values.timeout ?? defaultTimeoutSeconds);
  if (!(timeoutSeconds > 0 && timeoutSeconds <= 86_400))
    return refuse(`--timeout ${values.timeout}: expected seconds, up to a day`);
  const path = resolve(file);
  if (!existsSync(path)) return refuse(`there is no ${path}`);
  const loaded = await attemptAsync(
    async () => (await import(pathToFileURL(path).href)) as Readonly<Record<string, unknown>>,
    (cause) => deny('protocol', 'config-invalid', cause),
  );
  if (!loaded.ok) return refuse(`${file} cannot be loaded: ${loaded.fault.detail}`);

  const reports = await runContracts(loaded.value, contractPorts, timeoutSeconds * 1000);
  if (reports.length === 0) {
    const names = contractPorts.map(({ exported }) => exported).join(', ');
    return refuse(`${file} exports none of ${names}; --help says what each is`);
  }
  for (const line of values.json ? [JSON.stringify({ file, ports: reports })] : linesOf(reports)) output.out(line);
  return reports.some(({ clauses }) => clauses.some(({ broken }) => broken !== undefined)) ? 1 : 0;
};

const linesOf = (reports: readonly PortReport[]): readonly string[] => {
  const all = reports.flatMap(({ clauses }) => clauses);
  const failed = all.filter(({ broken }) => broken !== undefined).length;
  return [
    ...reports.flatMap(({ port, clauses }) => [
      port,
      ...clauses.flatMap(({ says, broken }) =>
        broken === undefined ? [`  passed  ${says}`] : [`  FAILED  ${says}`, `          ${broken}`],
      ),
    ]),
    `${all.length - failed} passed, ${failed} failed`,
  ];
};
