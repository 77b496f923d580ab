/** enigmctl explain: what a refusal means and what would change it. */
import type { Command } from 'commander';
import { categories, explain, faults } from '#hal/core/faults';
import type { Run } from '../context.ts';
import { exitCodes } from '../exit-codes.ts';

export const explainCommand = (program: Command, run: Run): void => {
  program
    .command('explain')
    .argument('[code]', 'category/reason, as a refusal prints it')
    .description('what a refusal means and what would change it; without a code: all of them')
    .action(
      run(({ console }, code: string | undefined) => {
        if (code === undefined) {
          const all = categories.flatMap((category) => Object.keys(faults[category]).map((reason) => `${category}/${reason}`));
          console.print(all.join('\n'), { codes: all });
          return exitCodes.done;
        }
        const known = explain(code);
        if (known === undefined) {
          console.say(`there is no code ${code.slice(0, 80)}; enigmctl explain lists them`);
          return exitCodes.usage;
        }
        console.print(`${code}\n  ${known.meaning}\n  next: ${known.remedy}`, { code, ...known });
        return exitCodes.done;
      }),
    );
};
