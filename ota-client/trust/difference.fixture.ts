/** What one named difference between our client and tuf-js is, and how a repository comes to show it. */
import { utf8 } from '#hal/core/bytes';
import { type Edit, ed25519Key, type Forge, type SignOptions, type TestKey } from './forge.fixture.ts';
import type { Json, JsonObject } from './json.ts';

export interface Difference {
  /** As docs/tuf.md has it. */
  readonly name: string;
  /** In the words of the client that refuses. */
  readonly why: RegExp;
  /** `why` names the cause by itself, so it explains a refusal wherever it appears. */
  readonly isTelling?: true;
  /** Looked for after the refresh. */
  readonly target?: string;
  /** Both clients have refreshed before. */
  readonly isSecond?: true;
  readonly make: (forge: Forge) => void;
}

type Below = 'targets' | 'snapshot' | 'timestamp';

/** Publish everything below root, one role with other options. */
export const publishWith = (forge: Forge, role: Below, options: SignOptions): void => {
  forge.publishTargets('targets', role === 'targets' ? options : {});
  forge.publishSnapshot(role === 'snapshot' ? options : {});
  forge.publishTimestamp(role === 'timestamp' ? options : {});
};

/** One role with other fields, signed as it should be. */
export const setting = (role: Below, fields: JsonObject) => (forge: Forge) =>
  publishWith(forge, role, { edit: (signed) => Object.assign(signed, fields) });

export const editing = (role: Below, edit: Edit) => (forge: Forge) => publishWith(forge, role, { edit });

/** The text of the targets metadata is changed after it was signed. */
export const respelled = (from: string | RegExp, to: string) => (forge: Forge) =>
  publishWith(forge, 'targets', { after: (bytes) => utf8(new TextDecoder().decode(bytes).replace(from, to)) });

/** The timestamp is signed by other keys, which a new root names. */
export const timestampKeys =
  (keys: readonly TestKey[], threshold: number, by: readonly TestKey[] = keys) =>
  (forge: Forge) => {
    forge.top.timestamp = { keys, threshold };
    forge.publishRoot();
    publishWith(forge, 'timestamp', { by });
  };

export const delegation = (role: JsonObject): JsonObject => ({
  keys: { [ed25519Key('d').id]: ed25519Key('d').json },
  roles: [{ name: 'd', keyids: [ed25519Key('d').id], threshold: 1, terminating: false, paths: [], ...role }],
});

/** Roles that hand on all paths, each to the next: the last names `x`. */
export const chain = (length: number) => (forge: Forge) => {
  for (let index = 0; index < length; index++)
    forge.delegated.set(`chain ${index}`, {
      parent: index === 0 ? 'targets' : `chain ${index - 1}`,
      ...{ keys: [ed25519Key('d')], threshold: 1, terminating: false, paths: ['*'] },
    });
  for (let index = 0; index < length; index++) forge.roleTargets(`chain ${index}`);
  forge.addTarget(`chain ${length - 1}`, 'x', 'content');
  forge.publish();
};

export const nested = (depth: number): Json => (depth === 0 ? 1 : [nested(depth - 1)]);
