/**
 * Where recovery fetches from. Nobody vouches for it: it says where to ask, never whom to believe, so it may come from
 * any disk.
 */
import { httpsUrl } from '#agents/management/endpoint';
import { attempt, deny, type Result } from '#hal/core/result';

/**
 * @param json a site configuration, or a file with as much of one as `{"fleet":{"repository":{"url":"https://…"}}}`;
 *   whatever else is in it is not looked at
 * @returns the address of the repository, or `protocol/config-invalid`
 */
export const mirrorUrl = (json: string): Result<string> => {
  const found = attempt(
    () => (JSON.parse(json) as PartOfSite | null)?.fleet?.repository?.url,
    () => deny('protocol', 'config-invalid', 'expected JSON'),
  );
  return found.ok ? httpsUrl(found.value, 'fleet.repository.url') : found;
};

interface PartOfSite {
  readonly fleet?: { readonly repository?: { readonly url?: unknown } | null } | null;
}
