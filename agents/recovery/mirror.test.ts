import { expect, test } from 'vitest';
import { codeOf, unwrap } from '#hal/core/result';
import { mirrorUrl } from './mirror.ts';

const siteWith = (url: unknown): string =>
  JSON.stringify({ version: 1, fleet: { broker: {}, repository: { url, root: 'AA==' } } });

test('the address of the repository is taken out of a site configuration, whatever else that says', () => {
  expect(unwrap(mirrorUrl(siteWith('https://10.0.2.2:8443')))).toBe('https://10.0.2.2:8443');
});

test.each(['', '{', 'null', '{}', '{"fleet":null}', '{"fleet":{"repository":null}}', '[]'])('there is none in %j', (json) => {
  const found = mirrorUrl(json);
  expect(found.ok ? found.value : codeOf(found.fault)).toBe('protocol/config-invalid');
});

test.each(['http://10.0.2.2', 'file:///etc/passwd', 'https://user@host', 7])('%j is none', (url) => {
  const found = mirrorUrl(siteWith(url));
  expect(found.ok ? found.value : codeOf(found.fault)).toBe('protocol/config-invalid');
});
