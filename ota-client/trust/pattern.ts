/** Which paths a delegation covers (TUF 1.0 §4.5, PATHPATTERN and path_hash_prefixes). */
import { toHex, utf8 } from '#hal/core/bytes';
import type { CryptoBackend } from '#hal/crypto/backend';
import type { DelegatedRole } from './delegations.ts';

export const covers = (crypto: CryptoBackend, { paths, path_hash_prefixes: prefixes }: DelegatedRole, path: string): boolean => {
  if (paths !== undefined) return paths.some((pattern) => matchesPattern(pattern, path));
  const digest = prefixes === undefined ? '' : toHex(crypto.hash('sha256', utf8(path)));
  return prefixes?.some((prefix) => digest.startsWith(prefix)) ?? false;
};

/** As glob(7): a wildcard never stands for `/`, nor for a dot that begins a name. */
export const matchesPattern = (pattern: string, path: string): boolean => {
  const patterns = pattern.split('/');
  const names = path.split('/');
  return patterns.length === names.length && patterns.every((part, index) => matchesName(part, names[index] ?? ''));
};

/** `*` any run, `?` any one character; steps back to the last `*` only, so at most pattern × name steps. */
const matchesName = (pattern: string, name: string): boolean => {
  const wanted = [...pattern];
  const found = [...name];
  if (found[0] === '.' && wanted[0] !== '.') return false;
  let star = -1;
  let resume = 0;
  let at = 0;
  let read = 0;
  while (read < found.length) {
    if (wanted[at] === '*') {
      star = at++;
      resume = read;
    } else if (at < wanted.length && (wanted[at] === '?' || wanted[at] === found[read])) {
      at++;
      read++;
    } else if (star !== -1) {
      at = star + 1;
      read = ++resume;
    } else return false;
  }
  return wanted.slice(at).every((sign) => sign === '*');
};
