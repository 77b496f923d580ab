import { contract } from './command.ts';

// An adapter that left something open must not keep the runner: it ends with its answer.
process.exit(
  await contract(process.argv.slice(2), {
    out: (line) => console.log(line),
    error: (line) => console.error(line),
  }),
);
