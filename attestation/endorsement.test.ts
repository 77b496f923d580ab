import 'reflect-metadata';
import { X509Certificate } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { KeyUsageFlags } from '@peculiar/x509';
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { concat, utf8 } from '#hal/core/bytes';
import { objectIdentifier } from '#hal/core/der';
import { codeOf } from '#hal/core/result';
import { nodeCrypto } from '#hal/crypto/node';
import { type AuthorityDetails, newAuthority as issueAuthority, type TestAuthority } from '#hal/linux/certificates.fixture';
import { seededRandom } from '#hal/memory/random';
import type { PublicArea } from '#hal/tpm/public';
import { attestationTemplate } from '#hal/tpm/templates';
import { certifyEndorsement, endorsementAreaOf, nowMs, signedAgain, tpmName } from './certificates.fixture.ts';
import { corpusFolder, hasCorpora } from './corpora.fixture.ts';
import { type EndorsementRoot, verifyEndorsement } from './endorsement.ts';

const day = 86_400_000;
const newAuthority = (name: string, details: Partial<AuthorityDetails> = {}) => issueAuthority(name, { nowMs, ...details });
const random = seededRandom('endorsement');
const newPoint = () => nodeCrypto.p256.publicKey(nodeCrypto.hash('sha256', random.bytes(32)));
const point = newPoint();
const endorsement = endorsementAreaOf(point);

interface Question {
  readonly leaf: Uint8Array;
  readonly intermediates: readonly TestAuthority[];
  readonly roots: readonly EndorsementRoot[];
  readonly area: PublicArea;
  readonly atMs: number;
}

const rootOf = (
  { certificate }: TestAuthority,
  tpmClass: EndorsementRoot['tpmClass'] = 'discrete',
  profile: EndorsementRoot['profile'] = 'tcg',
): EndorsementRoot => ({ certificate, tpmClass, profile });

describe('an endorsement certificate', () => {
  let root: TestAuthority;
  let intermediate: TestAuthority;
  let leaf: Uint8Array;
  beforeAll(async () => {
    root = await newAuthority('the maker');
    intermediate = await newAuthority('the factory', { issuer: root });
    leaf = await certifyEndorsement(intermediate, point);
  });
  /** The class, or the code of the refusal. */
  const verdict = (changed: Partial<Question> = {}): string => {
    const asked = { leaf, intermediates: [intermediate], roots: [rootOf(root)], area: endorsement, atMs: nowMs, ...changed };
    const certificates = asked.intermediates.map(({ certificate }) => certificate);
    const vouched = verifyEndorsement(asked.leaf, certificates, asked.roots, asked.area, asked.atMs);
    return vouched.ok ? vouched.value : codeOf(vouched.fault);
  };

  test('SR-23: gives the class of the root that vouches for it', () => {
    for (const tpmClass of ['discrete', 'firmware', 'virtual', 'software'] as const)
      expect(verdict({ roots: [rootOf(root, tpmClass)] })).toBe(tpmClass);
  });

  test('is also taken straight from a root', async () => {
    expect(verdict({ leaf: await certifyEndorsement(root, point), intermediates: [] })).toBe('discrete');
  });

  test('finds its own way where several makers and factories are trusted, in any order', async () => {
    const otherRoot = await newAuthority('another maker');
    const otherFactory = await newAuthority('another factory', { issuer: otherRoot });
    const roots = [rootOf(otherRoot, 'firmware'), rootOf(root)];
    for (const intermediates of [
      [otherFactory, intermediate],
      [intermediate, otherFactory],
    ]) {
      expect(verdict({ roots, intermediates })).toBe('discrete');
      expect(verdict({ roots, intermediates, leaf: await certifyEndorsement(otherFactory, point) })).toBe('firmware');
      expect(verdict({ roots, intermediates, leaf: await certifyEndorsement(root, point) })).toBe('discrete');
    }
  });

  test('is refused where nobody who issued it is trusted', async () => {
    const impostor = await newAuthority('the maker');
    const impostorFactory = await newAuthority('the factory', { issuer: impostor });
    expect(verdict({ roots: [rootOf(impostor)] })).toBe('attestation/key-untrusted');
    expect(verdict({ intermediates: [] })).toBe('attestation/key-untrusted');
    expect(verdict({ roots: [] })).toBe('attestation/key-untrusted');
    expect(verdict({ leaf: await certifyEndorsement(impostorFactory, point) })).toBe('attestation/key-untrusted');
    expect(verdict({ intermediates: [impostorFactory] })).toBe('attestation/key-untrusted');
  });

  test('is refused before and after its time, and those of its issuers (attack table 10)', async () => {
    const early = { notBeforeMs: nowMs + day };
    const late = { notAfterMs: nowMs - day };
    for (const details of [early, late]) {
      expect(verdict({ leaf: await certifyEndorsement(intermediate, point, details) })).toBe('attestation/endorsement-chain');
      const factory = await newAuthority('the old factory', { issuer: root, ...details });
      expect(verdict({ leaf: await certifyEndorsement(factory, point), intermediates: [factory] })).toBe(
        'attestation/endorsement-chain',
      );
      const maker = await newAuthority('the old maker', details);
      expect(verdict({ leaf: await certifyEndorsement(maker, point), intermediates: [], roots: [rootOf(maker)] })).toBe(
        'attestation/endorsement-chain',
      );
    }
    expect(verdict({ atMs: nowMs + 181 * day })).toBe('discrete');
    expect(verdict({ atMs: nowMs + 183 * day })).toBe('attestation/endorsement-chain');
    expect(verdict({ atMs: nowMs - 183 * day })).toBe('attestation/endorsement-chain');
  });

  test('is refused from an issuer that may not issue, or not this far down', async () => {
    const noAuthority = await newAuthority('a customer', { issuer: root, isAuthority: false });
    expect(verdict({ leaf: await certifyEndorsement(noAuthority, point), intermediates: [noAuthority] })).toBe(
      'attestation/endorsement-chain',
    );
    const noSigner = await newAuthority('a server', { issuer: root, usage: KeyUsageFlags.digitalSignature });
    expect(verdict({ leaf: await certifyEndorsement(noSigner, point), intermediates: [noSigner] })).toMatch(/^attestation\//);
    const shortRoot = await newAuthority('a short maker', { pathLength: 0 });
    const below = await newAuthority('its factory', { issuer: shortRoot });
    const roots = [rootOf(shortRoot)];
    expect(verdict({ leaf: await certifyEndorsement(shortRoot, point), intermediates: [], roots })).toBe('discrete');
    expect(verdict({ leaf: await certifyEndorsement(below, point), intermediates: [below], roots })).toBe(
      'attestation/endorsement-chain',
    );
  });

  test('is refused at the end of a chain that is too long, or a circle', async () => {
    const chain = [root];
    for (const name of ['one', 'two', 'three', 'four'])
      chain.push(await newAuthority(name, { issuer: chain.at(-1) as TestAuthority }));
    const [, ...intermediates] = chain;
    const third = intermediates[2] as TestAuthority;
    expect(verdict({ leaf: await certifyEndorsement(third, point), intermediates })).toBe('discrete');
    expect(verdict({ leaf: await certifyEndorsement(intermediates[3] as TestAuthority, point), intermediates })).toBe(
      'attestation/endorsement-chain',
    );
    const circle = await newAuthority('its own issuer');
    expect(verdict({ leaf: await certifyEndorsement(circle, point), intermediates: [circle] })).toBe(
      'attestation/endorsement-chain',
    );
  });

  test('is refused where it is one of another kind (attack table 10)', async () => {
    const kinds = {
      authority: { isAuthority: true },
      'for a server': { extendedUsages: ['1.3.6.1.5.5.7.3.1'] },
      'for signing': { usage: KeyUsageFlags.digitalSignature },
      'for nothing in particular': { usage: undefined },
      'without a TPM in its name': { directory: undefined },
      'without the version of the TPM': { directory: tpmName.slice(0, tpmName.lastIndexOf('+')) },
      'with the attributes in the text of another': { directory: 'CN=2.23.133.2.1 2.23.133.2.2 2.23.133.2.3' },
    };
    for (const [kind, details] of Object.entries(kinds))
      expect([kind, verdict({ leaf: await certifyEndorsement(intermediate, point, details) })]).toEqual([
        kind,
        'attestation/endorsement-chain',
      ]);
  });

  test('of a cloud may lack the name of the TPM and the extended usage, and nothing else', async () => {
    const plain = { directory: undefined, extendedUsages: undefined };
    const roots = [rootOf(root, 'virtual', 'cloud')];
    expect(verdict({ leaf: await certifyEndorsement(intermediate, point, plain), roots })).toBe('virtual');
    for (const details of [{ usage: KeyUsageFlags.digitalSignature }, { isAuthority: true }, { extendedUsages: ['1.2.3'] }])
      expect(verdict({ leaf: await certifyEndorsement(intermediate, point, { ...plain, ...details }), roots })).toBe(
        'attestation/endorsement-chain',
      );
  });

  test('is refused for any other key than its own (attack table 11)', () => {
    expect(verdict({ area: endorsementAreaOf(newPoint()) })).toBe('attestation/enrolment-proof');
    expect(verdict({ area: endorsementAreaOf(concat(point.subarray(0, 33), point.subarray(1, 33))) })).toBe(
      'attestation/enrolment-proof',
    );
    expect(verdict({ area: attestationTemplate })).toBe('attestation/enrolment-proof');
    const modulus = new Uint8Array(256);
    const rsa = { type: 'rsa', symmetric: { bits: 128 }, scheme: undefined, bits: 2048, exponent: 0, modulus } as const;
    expect(verdict({ area: { ...endorsement, key: rsa } })).toBe('attestation/enrolment-proof');
  });

  describe('that a maker whom we trust signed all the same (SR-23)', () => {
    /** Sets the byte that lies `offset` behind the end of these bytes. */
    const set = (after: Uint8Array, offset: number, value: number) => (signed: Buffer) => {
      const at = signed.indexOf(after);
      expect(at).toBeGreaterThan(0);
      signed[at + after.length + offset] = value;
    };
    const curve = objectIdentifier('1.2.840.10045.3.1.7');
    const oneLetter = { directory: '2.23.133.2.1=id:454E4947+2.23.133.2.2=a+2.23.133.2.3=id:00010000' };

    /** The first time behind the issuer's name is `notBefore`, a UTCTime of 13 characters. */
    const begins = (text: string) => (signed: Buffer) =>
      signed.set(utf8(text), signed.indexOf(Uint8Array.of(0x17, 13), signed.indexOf(intermediate.name)) + 2);

    test.each<[string, (signed: Buffer) => void, string]>([
      [
        'an attribute of the TPM that is a sequence of one letter',
        set(objectIdentifier('2.23.133.2.2'), 0, 0x30),
        'protocol/certificate-invalid',
      ],
      ['a key on a curve that nobody knows', set(curve, -1, 0x7f), 'protocol/certificate-invalid'],
      [
        'a key for an algorithm that nobody knows',
        set(objectIdentifier('1.2.840.10045.2.1'), -1, 0x7f),
        'protocol/certificate-invalid',
      ],
      [
        'a point off its curve',
        (signed) => signed.fill(1, signed.indexOf(point) + 1, signed.indexOf(point) + 65),
        'protocol/certificate-invalid',
      ],
      ['a time of letters', begins('abcdefghijklZ'), 'attestation/endorsement-chain'],
      ['a time in a thirteenth month', begins('251301000000Z'), 'attestation/endorsement-chain'],
    ])('is refused with %s', async (_, edit, refusal) => {
      const honest = await certifyEndorsement(intermediate, point, oneLetter);
      expect(verdict({ leaf: signedAgain(intermediate, honest, () => undefined) })).toBe('discrete');
      expect(verdict({ leaf: signedAgain(intermediate, honest, edit) })).toBe(refusal);
    });
  });

  test('of any changed bytes is a refusal, never a throw', () => {
    fc.assert(
      fc.property(fc.nat(leaf.length - 1), fc.integer({ min: 1, max: 255 }), (at, mask) => {
        const changed = leaf.slice();
        changed[at] = (changed[at] as number) ^ mask;
        expect(verdict({ leaf: changed })).toMatch(/^(attestation|protocol)\//);
      }),
      { numRuns: 150 },
    );
    expect(verdict({ leaf: new Uint8Array() })).toBe('protocol/certificate-invalid');
    expect(verdict({ leaf: leaf.subarray(0, 100) })).toBe('protocol/certificate-invalid');
    expect(verdict({ leaf: new Uint8Array(8193) })).toBe('protocol/too-large');
  });
});

describe.skipIf(!hasCorpora)('with the corpora', () => {
  const folder = join(corpusFolder, 'ek');
  const der = (name: string): Uint8Array => new Uint8Array(new X509Certificate(readFileSync(join(folder, name))).raw);
  /** As the endorsement key whose certificate it is would be presented. */
  const areaOf = (name: string): PublicArea => {
    const { x = '', y = '' } = new X509Certificate(readFileSync(join(folder, name))).publicKey.export({ format: 'jwk' });
    return endorsementAreaOf(concat(Uint8Array.of(4), Buffer.from(x, 'base64url'), Buffer.from(y, 'base64url')));
  };
  const googleRoot = (): EndorsementRoot => ({
    certificate: der('gcp_ek_ak_ca_root.crt'),
    tpmClass: 'virtual',
    profile: 'cloud',
  });
  const oldGoogleRoot = (): EndorsementRoot => ({ ...googleRoot(), certificate: der('tpm_ek_root_1.cer') });
  const factories = () => ['tpm_ek_intermediate_2.crt', 'tpm_ek_intermediate_3.crt', 'gcp_ek_ak_ca_intermediate_v3.crt'].map(der);
  const verdict = (leaf: string, changed: { roots?: EndorsementRoot[]; area?: PublicArea; atMs?: number } = {}): string => {
    const { roots = [oldGoogleRoot(), googleRoot()], area, atMs = nowMs } = changed;
    const vouched = verifyEndorsement(der(leaf), factories(), roots, area ?? areaOf(leaf), atMs);
    return vouched.ok ? vouched.value : codeOf(vouched.fault);
  };

  test('the endorsement key of a GCE machine is vouched for by its root, among other roots and factories', () => {
    expect(verdict('pca_tpm_ecc_enc_cert.pem')).toBe('virtual');
    expect(verdict('pca_tpm_ecc_enc_cert.pem', { roots: [oldGoogleRoot()] })).toBe('attestation/key-untrusted');
    expect(verdict('pca_tpm_ecc_enc_cert.pem', { area: endorsement })).toBe('attestation/enrolment-proof');
    expect(verdict('pca_tpm_ecc_enc_cert.pem', { atMs: Date.UTC(2022, 10, 23) })).toBe('attestation/endorsement-chain');
    expect(verdict('pca_tpm_ecc_enc_cert.pem', { atMs: Date.UTC(2053, 0, 1) })).toBe('attestation/endorsement-chain');
  });

  test('where the profile of the TCG is demanded it is refused: a cloud names no maker of its TPM', () => {
    expect(verdict('pca_tpm_ecc_enc_cert.pem', { roots: [{ ...googleRoot(), profile: 'tcg' }] })).toBe(
      'attestation/endorsement-chain',
    );
  });

  test('the certificate of its attestation key, by the same authority, vouches for no endorsement key', () => {
    expect(verdict('pca_tpm_ecc_sign_cert.pem')).toBe('attestation/endorsement-chain');
  });

  test('an RSA endorsement key is refused, and so is an authority in the place of a key', () => {
    expect(verdict('pca_tpm_rsa_enc_cert.pem', { area: endorsement })).toMatch(/^attestation\//);
    expect(verdict('gcp_ek_ak_ca_intermediate_v3.crt', { area: endorsement })).toBe('attestation/endorsement-chain');
  });

  test('every vendor authority is read, trusts no GCE key, and is no endorsement certificate', () => {
    const names = readdirSync(join(folder, 'vendor-roots')).map((name) => `vendor-roots/${name}`);
    const roots = names.map((name): EndorsementRoot => ({ certificate: der(name), tpmClass: 'discrete', profile: 'tcg' }));
    expect(roots.length).toBeGreaterThan(40);
    expect(verdict('pca_tpm_ecc_enc_cert.pem', { roots })).toBe('attestation/key-untrusted');
    for (const [at, name] of names.entries())
      expect(verdict(name, { roots: roots.slice(at, at + 1), area: endorsement })).toMatch(
        /^attestation\/(endorsement-chain|key-untrusted)$/,
      );
  });
});
