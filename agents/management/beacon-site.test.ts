import { describe, expect, test } from 'vitest';
import { parseBeaconSite } from './beacon-site.ts';

const authority = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n';
const beacon = { link: '/dev/serial/by-id/usb-enigm', courier: { url: 'https://courier.example/courier', authority } };
const invalid = (detail: string) => ({
  fault: { category: 'protocol', reason: 'config-invalid', detail: expect.stringContaining(detail) },
});

describe('the relay’s part of the site configuration', () => {
  test('is read whatever stands beside it (SR-11)', () => {
    expect(parseBeaconSite(JSON.stringify({ beacon, fleet: 'nonsense', unknown: 1 }))).toEqual({ ok: true, value: beacon });
  });

  test.each([
    ['no JSON', '{', 'JSON'],
    ['nothing at all', 'null', 'beacon'],
    ['a device without a Key', '{}', 'beacon'],
    ['a relative path', JSON.stringify({ beacon: { ...beacon, link: 'ttyUSB0' } }), 'beacon.link'],
    ['a courier without TLS', JSON.stringify({ beacon: { ...beacon, courier: { url: 'http://x', authority } } }), 'courier.url'],
    ['an unknown key', JSON.stringify({ beacon: { ...beacon, more: 1 } }), 'more'],
  ])('refuses %s', (_, json, detail) => {
    expect(parseBeaconSite(json)).toMatchObject(invalid(detail));
  });
});
