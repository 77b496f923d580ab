/** Writes what `summary.ts` reads. vitest's own JSON report is silent about a hook that failed: its tests look skipped. */
import { writeFileSync } from 'node:fs';
import type { Reporter, SerializedError, TestModule, Vitest } from 'vitest/node';
import type { FileResult, Report } from './summary.ts';

export default class implements Reporter {
  #path = '';

  onInit({ config }: Vitest): void {
    this.#path = (config.outputFile as { readonly json: string }).json;
  }

  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly SerializedError[]): void {
    const report: Report = { testResults: modules.map(fileResult), unhandled: unhandled.map(({ message }) => message) };
    writeFileSync(this.#path, JSON.stringify(report));
  }
}

const fileResult = (module: TestModule): FileResult => {
  const outside = [
    ...module.errors().map(({ message }) => message),
    ...[...module.children.allSuites()].flatMap((suite) =>
      suite.errors().map(({ message }) => `hook of "${suite.fullName}": ${message}`),
    ),
  ];
  return {
    name: module.moduleId,
    status: module.state(),
    message: outside[0] ?? '',
    assertionResults: [...module.children.allTests()].map((test) => {
      const { state, errors = [] } = test.result();
      return { status: state, fullName: test.fullName, failureMessages: errors.map(({ message }) => message) };
    }),
  };
};
