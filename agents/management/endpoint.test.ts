import { expect, test } from 'vitest';
import { httpsUrl } from './endpoint.ts';

test.each(['https://mirror', 'https://mirror.example:8443/repository', 'https://10.0.0.1:1', 'https://[::1]:65535/a'])(
  '%s is a far end',
  (url) => {
    expect(httpsUrl(url)).toEqual({ ok: true, value: url });
  },
);

test.each(['http://mirror', 'https://mirror:99999', 'https://[::::]', 'https://1.2.3.4.5', 'https://', 'https://a?b', 7])(
  '%s is none',
  (url) => {
    expect(httpsUrl(url, 'mirror.url')).toMatchObject({
      fault: { reason: 'config-invalid', detail: 'mirror.url: expected an https URL' },
    });
  },
);
