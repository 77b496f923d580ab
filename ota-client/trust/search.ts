/** TUF 1.0 §5.6.7: which role says what about one target, in the order of trust. */
import { utf8 } from '#hal/core/bytes';
import { deny, ok, type Result } from '#hal/core/result';
import type { DelegatedRole } from './delegations.ts';
import { binOf } from './hash-bins.ts';
import { maxDelegationDepth, maxVisitedRoles } from './limits.ts';
import type { TargetFile, Targets } from './metadata.ts';
import { covers } from './pattern.ts';
import type { Repository } from './refresh.ts';
import { roleTargets } from './targets.ts';

export interface FoundTarget {
  readonly path: string;
  readonly file: TargetFile;
  /** From `targets` down to the role that names the file. */
  readonly roles: readonly string[];
  /** When the first of the roles' metadata expires. */
  readonly expiresMs: number;
}

interface Visit {
  readonly roles: readonly string[];
  readonly expiresMs: number;
  readonly load: () => Promise<Result<Targets>>;
}

const maxPathBytes = 512;

/** A path inside the repository: no empty, `.` or `..` part, no control characters and no backslash (TUF 1.0 §4.5, TARGETPATH). */
export const isTargetPath = (path: string): boolean =>
  utf8(path).length <= maxPathBytes &&
  !/[\p{Cc}\\]/u.test(path) &&
  path.split('/').every((part) => part !== '' && part !== '.' && part !== '..');

/**
 * Pre-order, depth first; a role that cannot be loaded ends the search, since it may be the one that says otherwise.
 *
 * @returns the target; or `policy/target-missing`, `protocol/field-invalid` for a path that can be none,
 * `resource/count-limit`, and the faults of loading a role
 */
export const findTarget = async (repository: Repository, path: string): Promise<Result<FoundTarget>> => {
  if (!isTargetPath(path)) return deny('protocol', 'field-invalid', 'path of a target');
  const { targets } = repository;
  const pending: Visit[] = [{ roles: ['targets'], expiresMs: targets.expires, load: async () => ok(targets) }];
  const visited = new Set<string>();
  for (let visit = pending.pop(); visit !== undefined; visit = pending.pop()) {
    const { roles, expiresMs } = visit;
    const role = roles.at(-1) ?? '';
    if (visited.has(role)) continue; // §5.6.7.1: no cycles
    if (visited.size >= maxVisitedRoles || roles.length > maxDelegationDepth) return deny('resource', 'count-limit', path);
    const loaded = await visit.load();
    if (!loaded.ok) return loaded;
    const untilMs = Math.min(expiresMs, loaded.value.expires);
    const file = loaded.value.targets.get(path);
    if (file !== undefined) return ok({ path, file, roles, expiresMs: untilMs });
    visited.add(role);
    const { children, isTerminated } = delegationsFor(repository, loaded.value, path);
    if (isTerminated) pending.length = 0; // §5.6.7.2.1
    pending.push(
      ...children.map((child) => visitOf(repository, loaded.value, { ...visit, expiresMs: untilMs }, child)).reverse(),
    );
  }
  return deny('policy', 'target-missing', path);
};

/** The delegations that cover the path, in order, up to the first terminating one. */
const delegationsFor = ({ session }: Repository, { delegations }: Targets, path: string) => {
  const { crypto } = session.trust;
  if (delegations?.bins !== undefined) return { children: [binOf(crypto, delegations.bins, path)], isTerminated: true };
  const children = (delegations?.roles ?? []).filter((role) => covers(crypto, role, path));
  const end = children.findIndex(({ terminating }) => terminating);
  return end === -1 ? { children, isTerminated: false } : { children: children.slice(0, end + 1), isTerminated: true };
};

const visitOf = (
  { session, root, snapshot }: Repository,
  parent: Targets,
  { roles, expiresMs }: Visit,
  child: DelegatedRole,
): Visit => ({
  roles: [...roles, child.name],
  expiresMs,
  load: () =>
    roleTargets(session, root, snapshot, {
      role: child.name,
      roleKeys: child,
      keys: parent.delegations?.keys ?? new Map(),
    }),
});
