/** Walks a page of commands as a reader does: one shell, block by block, looking at what is printed. */
import { spawn } from 'node:child_process';

export interface Block {
  /** As they stand on the page, one each; a line that ends with `\` goes on. */
  readonly commands: readonly Command[];
  /** All that they print, as the page shows it; undefined where it shows nothing. */
  readonly shown: string | undefined;
}

export interface Command {
  readonly text: string;
  /** 0, or what the comment `# exit code N` says. */
  readonly exitCode: number;
}

/** A page has two kinds of boxes: commands, and beneath them what they print. Another kind would be walked by nobody. */
export const blocksOf = (page: string): readonly Block[] => {
  const blocks: Block[] = [];
  let isBeneath = false;
  for (const [part, language = '', body = ''] of page.matchAll(/^```(\w*)\n([\s\S]*?)^```$|^(?!```).+$/gm)) {
    const isBox = part.startsWith('```');
    const last = blocks.at(-1);
    if (isBox && language === 'sh') blocks.push({ commands: commandsOf(body), shown: undefined });
    else if (isBox && language === 'text' && isBeneath && last !== undefined)
      blocks.splice(-1, 1, { ...last, shown: body.trimEnd() });
    else if (isBox) throw new Error(`a box of "${language}" that is neither commands nor beneath them: ${body}`);
    isBeneath = isBox && language === 'sh';
  }
  return blocks;
};

const commandsOf = (body: string): readonly Command[] =>
  body
    .trimEnd()
    .split(/(?<!\\)\n/)
    .map((text) => ({ text, exitCode: Number(/# exit code (\d+)$/.exec(text)?.[1] ?? 0) }));

/** Whether something was printed that the page shows: `…` is what differs in a line; alone on it, any number of lines. */
export const isShown = (shown: string, printed: string): boolean => {
  const lines = shown.split('\n').map((line) => (line === '…' ? '(?:.*\n)*?' : `${literal(line).replaceAll('…', '.*')} *\n`));
  return new RegExp(`^${lines.join('')}$`).test(`${printed.trimEnd()}\n`);
};

const literal = (line: string): string => line.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&');

export interface Walker extends AsyncDisposable {
  /** @returns what is not as the page says, in a sentence with what was printed; undefined where all of it is */
  walk(block: Block): Promise<string | undefined>;
}

/** One shell for the whole page: folders and variables stay, as in a terminal. */
export const walker = (directory: string, environment: NodeJS.ProcessEnv): Walker => {
  const shell = spawn('sh', [], { cwd: directory, env: environment, stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = new Promise<never>((_, reject) => shell.once('close', () => reject(new Error('the shell has ended'))));
  ended.catch(() => undefined);
  const isOver = /^enigm-tour-is-over (\d+)\n/m;
  let printed = '';
  let heard = (): void => undefined;
  shell.stdout.setEncoding('utf8').on('data', (text: string) => {
    printed += text;
    heard();
  });
  shell.stdin.write('exec 2>&1\n');

  const run = async (text: string): Promise<{ readonly code: number; readonly out: string }> => {
    printed = '';
    shell.stdin.write(`{ ${text}\n} </dev/null\nprintf '\\nenigm-tour-is-over %s\\n' $?\n`);
    for (;;) {
      const over = isOver.exec(printed);
      if (over !== null) return { code: Number(over[1]), out: printed.slice(0, over.index - 1) };
      await Promise.race([new Promise<void>((resolve) => (heard = resolve)), ended]);
    }
  };

  return {
    async walk({ commands, shown }) {
      let all = '';
      for (const { text, exitCode } of commands) {
        const { code, out } = await run(text);
        all += out;
        if (code !== exitCode) return `${text}\nends with ${code}, and the page says ${exitCode}; printed:\n${all}`;
      }
      if (shown === undefined || isShown(shown, all)) return undefined;
      return `${commands.map(({ text }) => text).join('\n')}\nprints:\n${all}\nand the page shows:\n${shown}`;
    },
    async [Symbol.asyncDispose]() {
      shell.stdin.end();
      await ended.catch(() => undefined);
    },
  };
};
