/** Read vector files field by field: whatever is not of its kind is reported, never guessed. */
import { fromHex } from '#hal/core/bytes';

/** The file is not what its kind promises; the message says where. */
export class MalformedVectors extends Error {}

export class Fields {
  private readonly value: Readonly<Record<string, unknown>>;

  constructor(value: unknown) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new MalformedVectors('not an object');
    this.value = value as Readonly<Record<string, unknown>>;
  }

  /** Absent and null are the same in these files. */
  has(name: string): boolean {
    return this.get(name) !== undefined && this.get(name) !== null;
  }

  text(name: string): string {
    const value = this.get(name);
    return typeof value === 'string' ? value : refuse(name, 'text');
  }

  integer(name: string): number {
    const value = this.get(name);
    return typeof value === 'number' && Number.isSafeInteger(value) ? value : refuse(name, 'a whole number');
  }

  hex(name: string): Uint8Array {
    return fromHex(this.text(name)) ?? refuse(name, 'hexadecimal');
  }

  optionalHex(name: string): Uint8Array | undefined {
    return this.has(name) ? this.hex(name) : undefined;
  }

  object(name: string): Fields {
    return this.has(name) ? new Fields(this.get(name)) : refuse(name, 'an object');
  }

  list(name: string): readonly Fields[] {
    const value = this.get(name);
    return Array.isArray(value) ? value.map((item) => new Fields(item)) : refuse(name, 'a list');
  }

  texts(name: string): readonly string[] {
    const value = this.get(name);
    return Array.isArray(value) && value.every((item) => typeof item === 'string') ? value : refuse(name, 'a list of text');
  }

  oneOf<const T extends string>(name: string, ...choices: readonly T[]): T {
    const value = this.text(name);
    return choices.find((choice) => choice === value) ?? refuse(name, `one of ${choices.join(', ')}`);
  }

  private get(name: string): unknown {
    return Object.hasOwn(this.value, name) ? this.value[name] : undefined;
  }
}

const refuse = (name: string, expected: string): never => {
  throw new MalformedVectors(`field ${name} is not ${expected}`);
};
