/** The command line of a tool for developers: what it was told, `--help`, and the usage where it was told something else. */
import { type ParseArgsConfig, parseArgs } from 'node:util';

type Options = NonNullable<ParseArgsConfig['options']>;
type Parsed<Known extends Options> = ReturnType<typeof parseArgs<{ options: Known; allowPositionals: true }>>;

/**
 * Ends the process where there is nothing to do: 0 after `--help`, 2 after words that it does not know.
 *
 * @param usage printed whole, the first line is `usage: …`
 * @param takesMore words that belong to no option are of use
 */
export const toolWords = <const Known extends Options>(usage: string, options: Known, takesMore = false): Parsed<Known> => {
  if (process.argv.includes('--help')) {
    process.stdout.write(`${usage}\n`);
    process.exit(0);
  }
  try {
    return parseArgs({ options, allowPositionals: takesMore }) as Parsed<Known>;
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${usage}\n`);
    process.exit(2);
  }
};
