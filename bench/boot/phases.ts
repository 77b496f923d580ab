/** The phases of a start, in order: each ends with a moment that the machine, or its serial line, tells of. */
import type { StartStory } from './story.ts';

export interface Phase {
  readonly name: string;
  /** Of the kernel's clock. */
  readonly endSeconds: number;
}

/** Of the supervisor's name and the names of programs, as the guest shows them. */
const supervisor = 'enigm-supervisord';
const isProgram = (name: string): boolean => /^enigm-(?!supervisord|doors)/.test(name);

/** Each ends with the first record that has this. */
const byRecord: readonly (readonly [name: string, end: RegExp])[] = [
  ['kernel, to its first program', /Run \/init as init process/],
  ['first root: drivers', /device-mapper: verity: sha256/],
  ['first root: root verified and mounted', /erofs: .*mounted/],
  ['first root: data opened and mounted', /EXT4-fs \(dm-\d+\): mounted/],
];

/** @returns those whose end was found; the last one ends with the start */
export const phasesOf = ({ log, programs, healthySeconds }: StartStory): readonly Phase[] => {
  const begun = (wanted: (name: string) => boolean) =>
    programs.filter(({ name }) => wanted(name)).map(({ begunSeconds }) => begunSeconds);
  const records = byRecord.flatMap(([name, end]) => {
    const found = log.find(({ text }) => end.test(text));
    return found === undefined ? [] : [{ name, endSeconds: found.seconds }];
  });
  return [
    ...records,
    { name: 'root, to the supervisor', endSeconds: Math.min(...begun((name) => name === supervisor)) },
    { name: 'supervisor, to the programs', endSeconds: Math.min(...begun(isProgram)) },
    { name: 'programs, until all are healthy', endSeconds: healthySeconds },
  ];
};
