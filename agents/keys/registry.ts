/**
 * The registry of key classes: for each class where its keys are, and how the five verbs are done on it: generation,
 * protection, rotation, replacement, revocation; by whom, and by what.
 */
import { believedKeys } from './registry-believed.ts';
import { ownKeys } from './registry-own.ts';
import { publishedKeys } from './registry-published.ts';
import type { KeyClassEntry } from './verbs.ts';

export const registry = { ...ownKeys, ...believedKeys, ...publishedKeys } as const satisfies Record<string, KeyClassEntry>;
export type KeyClassName = keyof typeof registry;
export const keyClassNames = Object.keys(registry) as KeyClassName[];

export const isKeyClass = (name: string): name is KeyClassName => Object.hasOwn(registry, name);
