import fc from 'fast-check';
import { enums, messages } from './gen/fields.ts';
import { kinds } from './kinds.ts';
import type { FieldRule } from './rules.ts';

/** Any value that the schema allows, made from the same table that the edge enforces. */
export const anyMessage = (name: string, depth = 0): fc.Arbitrary<Record<string, unknown>> => {
  const fields = Object.entries(messages[name] ?? {});
  const grouped = fields.filter(([, { group }]) => group !== undefined);
  const plainFields = fields
    .filter(([, { group }]) => group === undefined)
    .map(([key, rule]) => [key, anyField(rule, depth)] as const);
  const rest = fc
    .record(Object.fromEntries(plainFields))
    .map((value) => Object.fromEntries(Object.entries(value).filter(([, field]) => field !== undefined)));
  if (grouped.length === 0) return rest;
  return fc.oneof(
    ...grouped.map(([key, rule]) =>
      fc.tuple(rest, anyValue(rule, depth)).map(([value, chosen]) => ({ ...value, [key]: chosen })),
    ),
  );
};

const anyField = (rule: FieldRule, depth: number): fc.Arbitrary<unknown> => {
  if (rule.isRepeated) return fc.array(anyValue(rule, depth), { maxLength: depth > 1 ? 0 : Math.min(3, rule.most ?? 0) });
  return rule.isOptional ? fc.option(anyValue(rule, depth), { nil: undefined }) : anyValue(rule, depth);
};

const texts: Readonly<Record<string, string>> = {
  slug: 'a-slug-1',
  method: 'tpm.quote',
  event: 'authz.decision',
  code: 'posture/stale',
  'code-or-none': '',
  token: 'tcp/[::]:22',
  address: '127.0.0.1',
  interface: 'wg0',
  label: '0123456789abcdef0123456789abcdef',
  path: 'targets/2.root.json',
};

const anyValue = (rule: FieldRule, depth: number): fc.Arbitrary<unknown> => {
  const words = enums[rule.type];
  if (words !== undefined) return fc.constantFrom(...Object.keys(words));
  if (messages[rule.type] !== undefined) return anyMessage(rule.type, depth + 1);
  switch (rule.type) {
    case 'bool':
      return fc.boolean();
    case 'uint32':
      return fc.nat(2 ** 32 - 1);
    case 'double':
      return fc.maxSafeNat();
    default: {
      const kind = kinds[rule.kind as keyof typeof kinds];
      if (kind.type === 'string') return fc.constant(texts[rule.kind ?? '']);
      return fc.uint8Array({ minLength: kind.least, maxLength: Math.min(kind.most, kind.least + 40) });
    }
  }
};
