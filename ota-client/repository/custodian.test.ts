import { describe, expect, test } from 'vitest';
import { deny, ok, unwrap } from '#hal/core/result';
import { nobleCrypto } from '#hal/crypto/noble';
import { nodeCrypto } from '#hal/crypto/node';
import { hybridSignatureSuites } from '#hal/crypto/suites';
import type { SigningToken } from '#hal/ports/signing-token';
import { findBundle } from '#ota-client/trust/bundle';
import { canonicalJson } from '#ota-client/trust/canonical';
import { codeFor } from '#ota-client/trust/forge.fixture';
import { bundleClasses } from '#ota-client/trust/release';
import { type CustodianSignature, metadataMessages, type Signer, signerFromSecret, signerWithToken } from './custodian.ts';
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

describe('a custodian whose classical key lies in a token', () => {
  const [classical, postQuantum] = [new Uint8Array(32).fill(1), new Uint8Array(32).fill(2)];
  const messages = metadataMessages(nodeCrypto, new Uint8Array(9));
  const ed25519 = nodeCrypto.ed25519.publicKey(classical);
  const answering = (sign: SigningToken['sign']) => signerWithToken(nobleCrypto, 'os-first', { sign }, ed25519, postQuantum);

  test('signs what one whose keys are at hand would sign', async () => {
    const suite = hybridSignatureSuites['enigm-ed25519-mldsa65'];
    const atHand = signerFromSecret(nobleCrypto, 'os-first', { suite, classical, postQuantum });
    const token = answering(async (message) => ok(nodeCrypto.ed25519.sign(classical, message) ?? new Uint8Array()));
    expect(await token.sign(messages)).toEqual(await atHand.sign(messages));
    expect([token.ed25519, token.mlDsa65]).toEqual([atHand.ed25519, atHand.mlDsa65]);
  });

  test('gives no half: not where the token refuses, nor where it holds another key', async () => {
    const refusing = answering(async () => deny('identity', 'pin-refused'));
    expect(codeFor(await refusing.sign(messages))).toBe('identity/pin-refused');
    const strange = answering(async (message) => ok(nodeCrypto.ed25519.sign(postQuantum, message) ?? new Uint8Array()));
    expect(codeFor(await strange.sign(messages))).toBe('integrity/signature-invalid');
  });
});
