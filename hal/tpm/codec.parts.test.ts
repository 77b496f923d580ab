/** The TypeScript codec against libtss2-mu: what we write it reads and writes the same, what we read it reads too. */
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { toHex } from '#hal/core/bytes';
import { unwrap } from '#hal/core/result';
import { type CodecOracle, codecOracle } from '#hal/native/esys-sim';
import type { StructureName } from '#hal/native/structures';
import { addonPaths, buildAddons, rsaStorageTemplate } from '#hal/native/testing';
import { encodeSelections, parseQuote, parseSignature } from './attest.ts';
import { nvAttribute } from './constants.ts';
import { makeCredential } from './credential.ts';
import { encodePublic, parsePublic, tpm2b } from './public.ts';
import { anyPublicArea, anyQuote, anySelections, anySignature, damaged, encodeQuote } from './structures.fixture.ts';
import { encodedTemplate, endorsementTemplate, linkTemplate, sealedTemplate } from './templates.ts';
import {
  aes128Cfb,
  contentOf,
  digestValues,
  empty2b,
  keyScheme,
  noPcrs,
  noSymmetric,
  nvPublic,
  sensitiveCreate,
} from './wire.ts';

const missing = buildAddons();

describe.skipIf(missing !== undefined)(`the codec beside libtss2-mu ${missing ?? ''}`, () => {
  let oracle: CodecOracle;
  beforeAll(() => {
    oracle = unwrap(codecOracle(addonPaths.sim));
  });
  const none = new Uint8Array();
  const expectSame = (name: StructureName, bytes: Uint8Array): void => {
    expect(toHex(oracle(name, bytes) ?? none)).toBe(toHex(bytes));
  };

  describe('reads every structure that we write, and writes it the same', () => {
    test('public areas', () => {
      fc.assert(
        fc.property(anyPublicArea, (area) => {
          expectSame('TPMT_PUBLIC', encodePublic(area));
          expectSame('TPM2B_PUBLIC', tpm2b(encodePublic(area)));
        }),
        { numRuns: 500 },
      );
    });

    test('quotes', () => {
      fc.assert(
        fc.property(anyQuote, (quote) => expectSame('TPMS_ATTEST', encodeQuote(quote))),
        { numRuns: 300 },
      );
    });

    test('register selections and signatures', () => {
      fc.assert(fc.property(anySelections, (selections) => expectSame('TPML_PCR_SELECTION', encodeSelections(selections))));
      fc.assert(fc.property(anySignature, (signature) => expectSame('TPMT_SIGNATURE', signature)));
    });

    test.each<[string, StructureName, Uint8Array]>([
      ['template of the endorsement key', 'TPMT_PUBLIC', encodedTemplate.endorsement],
      ['template of the attestation key', 'TPMT_PUBLIC', encodedTemplate.attestation],
      ['template of the storage root', 'TPMT_PUBLIC', encodedTemplate.storage],
      ['template of the link key', 'TPMT_PUBLIC', encodePublic(linkTemplate)],
      ['template of a sealed object', 'TPMT_PUBLIC', encodePublic(sealedTemplate(none))],
      ['template of a sealed object with a policy', 'TPMT_PUBLIC', encodePublic(sealedTemplate(new Uint8Array(32)))],
      ['template of an RSA key', 'TPMT_PUBLIC', rsaStorageTemplate],
      ['empty TPM2B', 'TPM2B_DATA', empty2b],
      ['sensitive data of a new object', 'TPM2B_SENSITIVE_CREATE', sensitiveCreate(Uint8Array.of(1), Uint8Array.of(2, 3))],
      ['public area of an NV index', 'TPM2B_NV_PUBLIC', nvPublic(0x01800100, nvAttribute.counter | nvAttribute.noDa, 8)],
      ['signing scheme of the key', 'TPMT_SIG_SCHEME', keyScheme],
      ['parameter encryption', 'TPMT_SYM_DEF', aes128Cfb],
      ['no parameter encryption', 'TPMT_SYM_DEF', noSymmetric],
      ['selection of no register', 'TPML_PCR_SELECTION', noPcrs],
      [
        'digests of two banks',
        'TPML_DIGEST_VALUES',
        digestValues([
          { algorithm: 0x04, digest: new Uint8Array(20).fill(1) },
          { algorithm: 0x0b, digest: new Uint8Array(32).fill(2) },
        ]),
      ],
    ])('%s', (_, name, bytes) => expectSame(name, bytes));

    test('both parts of a credential', () => {
      const x = Buffer.from('6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296', 'hex');
      const y = Buffer.from('4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5', 'hex');
      const key = { type: 'ecc' as const, symmetric: { bits: 128 }, scheme: undefined, curve: 3, x, y };
      const made = unwrap(
        makeCredential({ ...endorsementTemplate, key }, new Uint8Array(34), new Uint8Array(32), new Uint8Array(32).fill(7)),
      );
      expectSame('TPM2B_ID_OBJECT', made.credentialBlob);
      expectSame('TPM2B_ENCRYPTED_SECRET', made.encryptedSecret);
      expectSame('TPMS_ECC_POINT', contentOf(made.encryptedSecret));
    });
  });

  // libtss2-mu is the more lenient: it takes key types and flags that we refuse by name. The other direction must hold.
  test.each<[string, StructureName, fc.Arbitrary<Uint8Array>, (bytes: Uint8Array) => { readonly ok: boolean }]>([
    ['public area', 'TPMT_PUBLIC', anyPublicArea.map(encodePublic), parsePublic],
    ['quote', 'TPMS_ATTEST', anyQuote.map(encodeQuote), parseQuote],
    ['signature', 'TPMT_SIGNATURE', anySignature, parseSignature],
  ])('whatever we read as a %s, libtss2-mu reads to the same bytes', (_, name, structure, parse) => {
    let read = 0;
    fc.assert(
      fc.property(damaged(structure), (bytes) => {
        if (!parse(bytes).ok) return;
        read += 1;
        expectSame(name, bytes);
      }),
      { numRuns: 2000 },
    );
    expect(read).toBeGreaterThan(100);
  });
});
