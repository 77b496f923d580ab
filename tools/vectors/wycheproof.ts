/** Wycheproof files (C2SP/wycheproof, `testvectors_v1`): one object with `algorithm`, `schema` and `testGroups`. */
import { Fields } from './fields.ts';
import type { Kind, Test, WycheproofKind } from './kind.ts';

export const wycheproof = ({ name, algorithms, schema, run }: WycheproofKind): Kind => ({
  name,
  recognises: (file) =>
    isHeader(file) && typeof file.algorithm === 'string' && algorithms.includes(file.algorithm) && file.schema.startsWith(schema),
  tests: (file) =>
    new Fields(file).list('testGroups').flatMap((group) =>
      group.list('tests').map(
        (test): Test => ({
          name: `tcId ${test.integer('tcId')}`,
          run: (backend) => run(test, group, backend),
        }),
      ),
    ),
});

const isHeader = (file: unknown): file is { algorithm: unknown; schema: string } =>
  typeof file === 'object' && file !== null && 'algorithm' in file && 'schema' in file && typeof file.schema === 'string';
