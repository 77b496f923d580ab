/** The schema as tables: every message, every field with its kind and limit, every enum as words. */
import protobuf from 'protobufjs';

export interface Schema {
  readonly messages: Readonly<Record<string, Readonly<Record<string, Field>>>>;
  readonly enums: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

interface Field {
  readonly number: number;
  readonly type: string;
  readonly kind?: string;
  readonly isRepeated?: true;
  readonly isOptional?: true;
  readonly group?: string;
  readonly most?: number;
}

interface Source {
  readonly path: string;
  readonly text: string;
}

/** @throws where a field breaks a rule of the schema: this is its lint, and the build stops on it */
export const readSchema = (sources: readonly Source[]): Schema => {
  const root = new protobuf.Root();
  for (const { path, text } of sources) {
    try {
      protobuf.parse(text, root, { alternateCommentMode: true, preferTrailingComment: true });
    } catch (error) {
      throw new Error(`${path}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  root.resolveAll();
  const messages: Record<string, Record<string, Field>> = {};
  const enums: Record<string, Record<string, number>> = {};
  for (const nested of (root.lookup('enigm') as protobuf.Namespace).nestedArray) {
    if (nested instanceof protobuf.Type)
      messages[nested.name] = Object.fromEntries(nested.fieldsArray.map((field) => [field.name, readField(nested.name, field)]));
    if (nested instanceof protobuf.Enum) enums[nested.name] = readEnum(nested);
  }
  return { messages, enums };
};

const readField = (message: string, field: protobuf.Field): Field => {
  const where = `${message}.${field.name}`;
  const kind = /@([a-z-]+)/.exec(field.comment ?? '')?.[1];
  const most = /\bmax (\d+)\b/.exec(field.comment ?? '')?.[1];
  if (/^(string|bytes)$/.test(field.type) && kind === undefined)
    throw new Error(`${where}: a ${field.type} field names its kind (@kind)`);
  if (field.repeated && most === undefined) throw new Error(`${where}: a repeated field names its limit (max N)`);
  if (/^([us]?int64|s?fixed64|float)$/.test(field.type))
    throw new Error(`${where}: use uint32, or double for whole numbers below 2^53`);
  if (field.map) throw new Error(`${where}: a map has no order, so no one encoding`);
  return {
    number: field.id,
    type: field.resolvedType?.name ?? field.type,
    ...(kind === undefined ? {} : { kind }),
    ...(field.repeated ? { isRepeated: true as const } : {}),
    ...(field.partOf === null ? {} : { isOptional: true as const }),
    // protobufjs keeps a proto3 `optional` as a group of its own, named with an underscore.
    ...(field.partOf === null || field.partOf.name.startsWith('_') ? {} : { group: field.partOf.name }),
    ...(most === undefined ? {} : { most: Number(most) }),
  };
};

/** `AUDIT_OUTCOME_DONE = 1` of `AuditOutcome` becomes `done: 1`; the zero value stands for "not set" and has no word. */
const readEnum = (type: protobuf.Enum): Record<string, number> => {
  const prefix = `${type.name.replace(/(?<=[a-z0-9])(?=[A-Z])/g, '_').toUpperCase()}_`;
  const words: Record<string, number> = {};
  for (const [name, value] of Object.entries(type.values)) {
    if (!name.startsWith(prefix)) throw new Error(`${type.name}.${name}: starts with ${prefix}`);
    if (value !== 0) words[name.slice(prefix.length).toLowerCase().replaceAll('_', '-')] = value;
  }
  return words;
};

const typeScript: Readonly<Record<string, string>> = {
  string: 'string',
  bytes: 'Uint8Array',
  bool: 'boolean',
  uint32: 'number',
  double: 'number',
};

export const emitTypes = ({ messages, enums }: Schema): string => {
  const lines: string[] = [];
  for (const [name, words] of Object.entries(enums))
    lines.push(
      `export type ${name} = ${Object.keys(words)
        .map((word) => `'${word}'`)
        .join(' | ')};`,
    );
  for (const [name, fields] of Object.entries(messages)) {
    lines.push(`export interface ${name} {`);
    for (const [key, field] of Object.entries(fields)) {
      const type = typeScript[field.type] ?? field.type;
      lines.push(`  readonly ${key}${field.isOptional ? '?' : ''}: ${field.isRepeated ? `readonly ${type}[]` : type};`);
    }
    lines.push('}');
  }
  lines.push('export interface Messages {', ...Object.keys(messages).map((name) => `  readonly ${name}: ${name};`), '}', '');
  return lines.join('\n');
};

export const emitFields = ({ messages, enums }: Schema): string =>
  `import type { FieldRule } from '#protos/rules';\n\nexport const messages: Readonly<Record<string, Readonly<Record<string, FieldRule>>>> = ${JSON.stringify(messages, null, 1)};\n\nexport const enums: Readonly<Record<string, Readonly<Record<string, number>>>> = ${JSON.stringify(enums, null, 1)};\n`;
