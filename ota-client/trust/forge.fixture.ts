/** A repository that can be made wrong in every way: for tests only. Keys come from their names, so runs repeat. */
import { createHash } from 'node:crypto';
import { toHex, utf8 } from '#hal/core/bytes';
import { codeOf, deny, ok, type Result } from '#hal/core/result';
import { nodeCrypto } from '#hal/crypto/node';
import { memoryStore } from '#hal/memory/durable-store';
import { canonicalJson } from './canonical.ts';
import { custodianRuleName } from './custodians.ts';
import { deviceTrust } from './device-trust.ts';
import type { Json, JsonObject } from './json.ts';
import { ed25519Json, mlDsa65Json, mlDsaSignedBytes } from './keys.ts';
import { ruleField, type TopRole } from './metadata.ts';
import type { Fetch, Trust } from './session.ts';
import { type TrustedTime, textOfInstant } from './time.ts';

export interface TestKey {
  readonly id: string;
  readonly json: JsonObject;
  sign(canonical: Uint8Array): Uint8Array;
}

const seedOf = (name: string): Uint8Array => createHash('sha256').update(name).digest();
const idOf = (json: JsonObject): string => createHash('sha256').update(canonicalJson(json)).digest('hex');
const made = (signature: Uint8Array | undefined): Uint8Array => signature ?? new Uint8Array();
const known = new Map<string, TestKey>();
/** The same bytes signed by the same key need no second signature: many tests publish the same repository. */
const signatures = new Map<string, Uint8Array>();
const signedOnce = (key: string, canonical: Uint8Array, sign: () => Uint8Array | undefined): Uint8Array => {
  const name = `${key} ${createHash('sha256').update(canonical).digest('hex')}`;
  const signature = signatures.get(name) ?? made(sign());
  signatures.set(name, signature);
  return signature;
};
const once = (name: string, make: () => TestKey): TestKey => {
  const key = known.get(name) ?? make();
  known.set(name, key);
  return key;
};

/** @param custodian left out for repositories without the rule */
export const ed25519Key = (name: string, custodian?: string): TestKey =>
  once(`ed25519 ${name} ${custodian}`, () => {
    const secret = seedOf(`ed25519 ${name}`);
    const { 'x-enigm-custodian': _, ...plain } = ed25519Json(nodeCrypto.ed25519.publicKey(secret), '');
    const json: JsonObject = custodian === undefined ? plain : { ...plain, 'x-enigm-custodian': custodian };
    return { id: idOf(json), json, sign: (canonical) => made(nodeCrypto.ed25519.sign(secret, canonical)) };
  });

export const mlDsaKey = (name: string, custodian: string): TestKey =>
  once(`ml-dsa ${name} ${custodian}`, () => {
    const secret = seedOf(`ml-dsa ${name}`);
    const json = mlDsa65Json(nodeCrypto.mlDsa65.publicKey(secret), custodian);
    const sign = (canonical: Uint8Array) =>
      signedOnce(name, canonical, () => nodeCrypto.mlDsa65.sign(secret, mlDsaSignedBytes(nodeCrypto, canonical)));
    return { id: idOf(json), json, sign };
  });

/** The same key of somebody who signs the canonical JSON itself, against TAP 21. */
export const mlDsaRawKey = (name: string, custodian: string): TestKey => ({
  ...mlDsaKey(name, custodian),
  sign: (canonical) => made(nodeCrypto.mlDsa65.sign(seedOf(`ml-dsa ${name}`), canonical)),
});

/** Both keys of one custodian. */
export const person = (name: string): readonly TestKey[] => [ed25519Key(name, name), mlDsaKey(name, name)];

export interface RoleModel {
  keys: readonly TestKey[];
  threshold: number;
}

export interface DelegatedModel extends RoleModel {
  readonly parent: string;
  paths?: readonly string[];
  prefixes?: readonly string[];
  terminating: boolean;
}

/** The hash bins of the top-level targets, all signed by the same keys (TAP 15). */
export interface BinsModel extends RoleModel {
  readonly prefix: string;
  readonly bits: number;
}

export type Edit = (signed: Record<string, Json>) => void;

export interface SignOptions {
  /** Keys that sign, where they are not those of the role. */
  readonly by?: readonly TestKey[];
  readonly edit?: Edit;
  /** Change of the finished file. */
  readonly after?: (bytes: Uint8Array) => Uint8Array;
}

export const signed = (json: JsonObject, keys: readonly TestKey[]): Uint8Array => {
  const canonical = canonicalJson(json);
  return utf8(
    JSON.stringify({ signatures: keys.map((key) => ({ keyid: key.id, sig: toHex(key.sign(canonical)) })), signed: json }),
  );
};

const hour = 3_600_000;
export const startMs = Date.UTC(2026, 10, 21, 12);

export class Forge {
  expiresMs: number;
  consistent = true;
  /** Hashes and lengths in snapshot and timestamp. */
  hashed = true;
  readonly files = new Map<string, Uint8Array>();
  readonly asked: string[] = [];
  readonly top: Record<TopRole, RoleModel>;
  readonly delegated = new Map<string, DelegatedModel>();
  /** Instead of delegations by name. */
  bins: BinsModel | undefined;
  readonly targetFiles = new Map<string, Map<string, JsonObject>>([['targets', new Map()]]);
  readonly versions = new Map<string, number>();
  readonly isHybrid: boolean;

  constructor(top: Record<TopRole, RoleModel>, isHybrid: boolean, nowMs = startMs) {
    this.top = top;
    this.isHybrid = isHybrid;
    this.expiresMs = nowMs + 24 * hour;
  }

  /** The current version of a role's last published file. */
  latest(role: string): Uint8Array {
    const bytes = this.files.get(this.fileName(role, this.versions.get(role) ?? 0));
    if (bytes === undefined) throw new Error(`no ${role}`);
    return bytes;
  }

  fileName(role: string, version: number): string {
    const name = `${encodeURIComponent(role)}.json`;
    return role === 'root' || (this.consistent && role !== 'timestamp') ? `${version}.${name}` : name;
  }

  addTarget(role: string, path: string, content: string, custom?: JsonObject): void {
    const bytes = utf8(content);
    const file: JsonObject = {
      length: bytes.length,
      hashes: { sha256: createHash('sha256').update(bytes).digest('hex') },
      ...(custom === undefined ? {} : { custom }),
    };
    this.roleTargets(role).set(path, file);
  }

  roleTargets(role: string): Map<string, JsonObject> {
    const targets = this.targetFiles.get(role) ?? new Map<string, JsonObject>();
    this.targetFiles.set(role, targets);
    return targets;
  }

  publishRoot(options: SignOptions & { readonly version?: number } = {}): void {
    const roles = Object.entries(this.top);
    this.write('root', this.top.root.keys, options, (version) => ({
      ...this.header('root', options.version ?? version),
      consistent_snapshot: this.consistent,
      keys: Object.fromEntries(roles.flatMap(([, { keys }]) => keys).map(({ id, json }) => [id, json])),
      roles: Object.fromEntries(
        roles.map(([name, { keys, threshold }]) => [name, { keyids: keys.map(({ id }) => id), threshold }]),
      ),
      ...(this.isHybrid ? { [ruleField]: custodianRuleName } : {}),
    }));
  }

  publishTargets(role = 'targets', options: SignOptions = {}): void {
    const keys = role === 'targets' ? this.top.targets.keys : ((this.delegated.get(role) ?? this.bins)?.keys ?? []);
    this.write(role, keys, options, (version) => ({
      ...this.header('targets', version),
      targets: Object.fromEntries(this.roleTargets(role)),
      ...this.delegationsOf(role),
    }));
  }

  publishSnapshot(options: SignOptions = {}): void {
    const roles = [...this.versions.keys()].filter((role) => this.targetFiles.has(role));
    this.write('snapshot', this.top.snapshot.keys, options, (version) => ({
      ...this.header('snapshot', version),
      meta: Object.fromEntries(roles.map((role) => [`${role}.json`, this.metaOf(role)])),
    }));
  }

  publishTimestamp(options: SignOptions = {}): void {
    this.write('timestamp', this.top.timestamp.keys, options, (version) => ({
      ...this.header('timestamp', version),
      meta: { 'snapshot.json': this.metaOf('snapshot') },
    }));
  }

  /** Everything below root, in order. */
  publish(): void {
    for (const role of this.targetFiles.keys()) this.publishTargets(role);
    this.publishSnapshot();
    this.publishTimestamp();
  }

  private write(
    role: string,
    keys: readonly TestKey[],
    { by, edit, after }: SignOptions,
    make: (version: number) => JsonObject,
  ): void {
    const version = (this.versions.get(role) ?? 0) + 1;
    const json = { ...make(version) };
    edit?.(json);
    const bytes = signed(json, by ?? keys);
    this.files.set(this.fileName(role, version), after?.(bytes) ?? bytes);
    this.versions.set(role, version);
  }

  private delegationsOf(role: string): JsonObject {
    if (role === 'targets' && this.bins !== undefined) return { delegations: binsJson(this.bins) };
    const children = [...this.delegated].filter(([, { parent }]) => parent === role);
    return children.length === 0 ? {} : { delegations: delegationsJson(children) };
  }

  private header(type: string, version: number): JsonObject {
    return { _type: type, spec_version: '1.0.31', version, expires: textOfInstant(this.expiresMs) };
  }

  private metaOf(role: string): JsonObject {
    const version = this.versions.get(role) ?? 0;
    const bytes = this.latest(role);
    const described = { length: bytes.length, hashes: { sha256: createHash('sha256').update(bytes).digest('hex') } };
    return { version, ...(this.hashed ? described : {}) };
  }
}

const delegationsJson = (children: readonly (readonly [string, DelegatedModel])[]): JsonObject => ({
  keys: Object.fromEntries(children.flatMap(([, { keys }]) => keys).map(({ id, json }) => [id, json])),
  roles: children.map(([name, { keys, threshold, terminating, paths, prefixes }]) => ({
    name,
    keyids: keys.map(({ id }) => id),
    threshold,
    terminating,
    ...(paths === undefined ? {} : { paths }),
    ...(prefixes === undefined ? {} : { path_hash_prefixes: prefixes }),
  })),
});

const binsJson = ({ keys, threshold, prefix, bits }: BinsModel): JsonObject => ({
  keys: Object.fromEntries(keys.map(({ id, json }) => [id, json])),
  succinct_roles: { keyids: keys.map(({ id }) => id), threshold, bit_length: bits, name_prefix: prefix },
});

/** Two of three custodians for root and targets, one of one for the online roles: at version 1, published. */
export const hybridForge = (nowMs = startMs): Forge => {
  const forge = new Forge(
    {
      root: { keys: ['ada', 'bea', 'cyd'].flatMap(person), threshold: 2 },
      targets: { keys: ['ada', 'bea', 'cyd'].flatMap(person), threshold: 2 },
      snapshot: { keys: person('ci'), threshold: 1 },
      timestamp: { keys: person('ci'), threshold: 1 },
    },
    true,
    nowMs,
  );
  forge.publishRoot();
  forge.publish();
  return forge;
};

/** One Ed25519 key for each role, without custodians. */
export const plainForge = (nowMs = startMs): Forge => {
  const role = (name: string): RoleModel => ({ keys: [ed25519Key(name)], threshold: 1 });
  const forge = new Forge(
    { root: role('root'), targets: role('targets'), snapshot: role('snapshot'), timestamp: role('timestamp') },
    false,
    nowMs,
  );
  forge.publishRoot();
  forge.publish();
  return forge;
};

export const forgeFetch =
  ({ files, asked }: Pick<Forge, 'files' | 'asked'>): Fetch =>
  async (name, maxBytes): Promise<Result<Uint8Array>> => {
    asked.push(name);
    const bytes = files.get(name);
    if (bytes === undefined) return deny('unavailable', 'not-found', name);
    return bytes.length > maxBytes ? deny('protocol', 'too-large', name) : ok(bytes);
  };

/** A device of the custodian rule that was given the forge's first root. */
export const trustIn = (forge: Forge, kept = new Map<string, Uint8Array>()): Trust =>
  deviceTrust({
    crypto: nodeCrypto,
    fetch: forgeFetch(forge),
    store: memoryStore(kept),
    pinnedRoot: forge.files.get('1.root.json') ?? new Uint8Array(),
  });

export const at = (nowMs: number | undefined, floorMs = 0): TrustedTime => ({ nowMs, floorMs });
export const now = at(startMs);
export const never = new AbortController().signal;

export const codeFor = (result: Result<unknown>): string => (result.ok ? 'ok' : codeOf(result.fault));
/** With the detail, where a test is about which half or which field. */
export const storyOf = (result: Result<unknown>): string =>
  result.ok ? 'ok' : `${codeOf(result.fault)}: ${result.fault.detail ?? ''}`;
