import { describe, expect, test } from 'vitest';
import { concat } from '#hal/core/bytes';
import { deny, ok, unwrap } from '#hal/core/result';
import { nobleCrypto } from '#hal/crypto/noble';
import { nodeCrypto } from '#hal/crypto/node';
import { hybridSignatureSuites } from '#hal/crypto/suites';
import { findBundle } from '#ota-client/trust/bundle';
import { canonicalJson } from '#ota-client/trust/canonical';
import { codeFor } from '#ota-client/trust/forge.fixture';
import { bundleClasses } from '#ota-client/trust/release';
import {
  type CustodianSignature,
  type HeldKeys,
  metadataMessages,
  type Signer,
  signerFromSecret,
  signerWith,
} from './custodian.ts';
import { signClass, type UnsignedRole } from './publish.ts';
import { acceptSignatures, listToSign, reviewRelease, stageRelease } from './publisher.ts';
import { ci, custodian, drafted, id, keepers, type Site, stateOf } from './repository.fixture.ts';

describe('signatures that come from elsewhere', () => {
  const reviewed = async (): Promise<Site> => {
    const here = await drafted();
    unwrap(reviewRelease(here.desk, id, 'bea'));
    return here;
  };
  const signature = async (list: UnsignedRole, signer: Signer): Promise<CustodianSignature> => ({
    name: signer.name,
    ...unwrap(await signer.sign(metadataMessages(nodeCrypto, canonicalJson(list.signed)))),
  });
  const [keeper] = keepers('os');
  if (keeper === undefined) throw new Error('nobody keeps the class');

  test('are taken where they verify, and the release is signed by them', async () => {
    const here = await reviewed();
    const list = unwrap(await listToSign(here.desk, id));
    expect(unwrap(acceptSignatures(here.desk, id, list, [await signature(list, keeper)])).state).toBe('signed');
    unwrap(await stageRelease(here.desk, id, ci));
    expect(codeFor(await findBundle(unwrap(await here.openImage()), 'os', `os/${id}`))).toBe('ok');
  });

  test('SR-09: are refused with one half wrong, for another list, and of nobody', async () => {
    const here = await reviewed();
    const list = unwrap(await listToSign(here.desk, id));
    const good = await signature(list, keeper);
    const other = await signature({ ...list, signed: { ...list.signed, version: 99 } }, keeper);
    for (const wrong of [other, { ...good, classical: other.classical }, { ...good, postQuantum: other.postQuantum }])
      expect(codeFor(acceptSignatures(here.desk, id, list, [wrong]))).toBe('integrity/signature-invalid');
    expect(codeFor(acceptSignatures(here.desk, id, list, []))).toBe('integrity/custodians-missing');
    expect(stateOf(here)).toBe('reviewed');
  });

  test.each(bundleClasses.filter((name) => name !== 'os'))('SR-03: are refused from the keepers of %s', async (name) => {
    const here = await reviewed();
    const list = unwrap(await listToSign(here.desk, id));
    const [stranger] = keepers(name);
    if (stranger === undefined) throw new Error('nobody keeps the class');
    const strange = await signature(list, stranger);
    expect(codeFor(acceptSignatures(here.desk, id, list, [strange]))).toBe('integrity/custodians-missing');
    const disguised = { ...strange, name: keeper.name };
    expect(codeFor(acceptSignatures(here.desk, id, list, [disguised]))).toBe('integrity/signature-invalid');
  });

  test('SR-09: one custodian who signs twice counts once', async () => {
    const here = await reviewed();
    const two = { custodians: [custodian('os-keeper'), custodian('os-second')], threshold: 2 };
    const strict = { ...here.repository, classes: { ...here.repository.classes, os: two } };
    const twice = await signClass(strict, 'os', [], [keeper, keeper], here.clock.nowMs());
    expect(codeFor(twice)).toBe('integrity/custodians-missing');
  });
});

describe('a custodian whose keys are not at hand', () => {
  const [classical, postQuantum] = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)];
  const messages = metadataMessages(nodeCrypto, new Uint8Array(9));
  const suite = hybridSignatureSuites['enigm-ed25519-mldsa65'];
  const atHand = signerFromSecret(nobleCrypto, 'os-first', { suite, classical, postQuantum });
  const holding = (held: HeldKeys) => signerWith(nobleCrypto, atHand, held);
  const opening = (...seeds: readonly Uint8Array[]) => ({ open: async () => ok(concat(...seeds)) });
  const token = (key: Uint8Array) => ({
    sign: async (message: Uint8Array) => ok(nodeCrypto.ed25519.sign(key, message) ?? new Uint8Array()),
  });

  test.each<[string, HeldKeys]>([
    ['both seeds', opening(classical, postQuantum)],
    ['a token and one seed', { token: token(classical), ...opening(postQuantum) }],
  ])('signs with %s what one whose keys are at hand would sign', async (_, held) => {
    expect(await holding(held).sign(messages)).toEqual(await atHand.sign(messages));
    expect([holding(held).ed25519, holding(held).mlDsa65]).toEqual([atHand.ed25519, atHand.mlDsa65]);
  });

  test.each<[string, HeldKeys, string]>([
    [
      'the token refuses',
      { token: { sign: async () => deny('identity', 'pin-refused') }, ...opening(postQuantum) },
      'pin-refused',
    ],
    ['the seeds stay shut', { open: async () => deny('unavailable', 'tpm-locked-out') }, 'tpm-locked-out'],
    ['the token holds another key', { token: token(postQuantum), ...opening(postQuantum) }, 'signature-invalid'],
    ['the classical seed is another', opening(postQuantum, postQuantum), 'signature-invalid'],
    ['the post-quantum seed is another', opening(classical, classical), 'signature-invalid'],
    ['one seed is missing', opening(postQuantum), 'signature-invalid'],
    ['there is one too many', { token: token(classical), ...opening(classical, postQuantum) }, 'signature-invalid'],
    ['there is none', opening(), 'signature-invalid'],
  ])('gives no half where %s', async (_, held, reason) => {
    expect(codeFor(await holding(held).sign(messages)).split('/')[1]).toBe(reason);
  });

  test('asks for the seeds once a signature, after the token has signed, and wipes them', async () => {
    const given: Uint8Array[] = [];
    const said: string[] = [];
    const signer = holding({
      token: {
        sign: async (message) => {
          said.push('token');
          return token(classical).sign(message);
        },
      },
      open: async () => {
        said.push('open');
        given.push(concat(postQuantum));
        return ok(given.at(-1) ?? postQuantum);
      },
    });
    for (let times = 0; times < 2; times++) unwrap(await signer.sign(messages));
    expect(said).toEqual(['token', 'open', 'token', 'open']);
    expect(given.flatMap((seed) => [...seed])).toEqual(Array.from({ length: 64 }, () => 0));
  });
});
