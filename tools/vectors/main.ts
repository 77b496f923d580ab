import { vectors } from './command.ts';

process.exitCode = vectors(process.argv.slice(2), {
  out: (line) => console.log(line),
  error: (line) => console.error(line),
});
