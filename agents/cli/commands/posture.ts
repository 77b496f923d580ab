/** enigmctl posture: every finding with its age, what is at fault, and what would change it. */
import type { Command } from 'commander';
import { findingWords, headlineWords, levelWords, limits, remedyWords, resultWords } from '#agents/posture/words';
import type { Finding, Posture } from '#protos/gen/types';
import { answer } from '../console.ts';
import type { Run } from '../context.ts';
import { withDevice } from '../device.ts';

export const postureCommand = (program: Command, run: Run): void => {
  program
    .command('posture')
    .option('--explain', 'why each finding matters, and what this device does not prove')
    .description('measure now: findings, level, what would change it')
    .action(
      run(({ console, runDirectory }, { explain = false }: { readonly explain?: boolean }) =>
        withDevice(runDirectory, async (device) =>
          answer(console, await device.call('posture.read', {}), (posture) => ({
            text: postureText(posture, explain),
            json: posture,
          })),
        ),
      ),
    );
};

const postureText = (posture: Posture, explain: boolean): string =>
  [
    `level ${levelWords(posture.level)}: ${headlineWords(posture.headline)}`,
    ...posture.findings.flatMap((finding) => findingLines(finding, explain)),
    ...(explain ? ['', 'What this does not prove:', ...limits.map((limit) => `  ${limit}`)] : []),
  ].join('\n');

const findingLines = (finding: Finding, explain: boolean): readonly string[] => {
  const { title, why } = findingWords(finding.id);
  const value = finding.value === undefined ? '' : `: ${finding.value}`;
  const line = `  ${resultWords(finding.result).padEnd(14)} ${title}${value}  (${finding.level}, ${Math.round(finding.ageMs / 1000)} s ago)`;
  const items = finding.items.map((item) => `                   ${item}`);
  const isFine = finding.result === 'pass' || finding.result === 'not-applicable';
  return [
    line,
    ...items,
    ...(explain ? [`                 ${why}`] : []),
    ...(isFine ? [] : [`                 next: ${remedyWords(finding.id, finding.result)}`]),
  ];
};
