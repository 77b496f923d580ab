/** What `apt-get --assume-no install` says it would do (in the C locale), and how far `apt-get install` has come. */

/** `72.2 MB to fetch` */
export const toFetch = (plan: string): string | undefined => {
  const size = /^Need to get (?:0 B|([\d.,]+ [kMGT]?B))/m.exec(plan);
  if (size === null) return undefined;
  return size[1] === undefined ? 'nothing to fetch' : `${size[1]} to fetch`;
};

/** `290 MB on disk` */
export const onDisk = (plan: string): string | undefined => {
  const size = /^After this operation, ([\d.,]+ [kMGT]?B) of additional disk space/m.exec(plan)?.[1];
  return size === undefined ? undefined : `${size} on disk`;
};

/** Each package is unpacked, then set up. */
const stepsOf = (plan: string): number => {
  const counts = /^(\d+) upgraded, (\d+) newly installed(?:, (\d+) reinstalled)?/m.exec(plan) ?? [];
  return 2 * counts.slice(1).reduce((sum, count) => sum + Number(count ?? 0), 0);
};

const everyPercent = 20;

/** @returns a function that takes each line of apt-get and gives, now and then, a line of progress */
export const progressOf = (plan: string): ((line: string) => string | undefined) => {
  const steps = stepsOf(plan);
  let done = 0;
  let toldPercent = 0;
  return (line) => {
    const step = /^(Unpacking|Setting up) (\S+)/.exec(line);
    if (step === null || steps === 0) return undefined;
    done += 1;
    const percent = Math.min(100, Math.floor((100 * done) / steps));
    if (percent < toldPercent + everyPercent) return undefined;
    toldPercent = percent - (percent % everyPercent);
    return `  ${String(toldPercent).padStart(3)} %  ${step[1]?.toLowerCase()} ${step[2]}`;
  };
};
