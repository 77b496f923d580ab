/** What every `Tpm` and the `DeviceKeys` beside it must do, on a device that is provisioned. */
import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { toHex } from '#hal/core/bytes';
import { unwrap } from '#hal/core/result';
import { nodeCrypto } from '#hal/crypto/node';
import type { DeviceKeys } from '#hal/ports/device-keys';
import type { Tpm } from '#hal/ports/tpm';
import { parseQuote, parseSignature, pcrDigestOf } from '#hal/tpm/attest';
import { makeCredential } from '#hal/tpm/credential';
import { nameOf, p256Point, parsePublic } from '#hal/tpm/public';
import { attestationAttributes, endorsementTemplate } from '#hal/tpm/templates';

export interface TpmUnderTest {
  readonly tpm: Tpm;
  readonly keys: DeviceKeys;
}

const random32 = (fill: number) => new Uint8Array(32).fill(fill);

/** @param get the device, which the caller has opened before the tests run */
export const tpmContract = (name: string, get: () => TpmUnderTest): void => {
  describe(`Tpm: ${name}`, () => {
    test('is always the same TPM, with an attestation key that is restricted to signing (SR-05)', async () => {
      const { tpm } = get();
      const identity = unwrap(await tpm.identity());
      expect(unwrap(await tpm.identity())).toEqual(identity);
      const attestation = unwrap(parsePublic(identity.attestationPublic));
      expect(attestation.attributes).toBe(attestationAttributes);
      expect(unwrap(parsePublic(identity.endorsementPublic)).attributes).toBe(endorsementTemplate.attributes);
    });

    test('opens a credential made for its two keys, and no other', async () => {
      const { tpm } = get();
      const identity = unwrap(await tpm.identity());
      const endorsement = unwrap(parsePublic(identity.endorsementPublic));
      const secret = random32(5);
      const good = unwrap(makeCredential(endorsement, nameOf(identity.attestationPublic), secret, random32(9)));
      expect(toHex(unwrap(await tpm.activate(good)))).toBe(toHex(secret));
      const otherName = nameOf(new Uint8Array([1, 2, 3]));
      const forAnother = unwrap(makeCredential(endorsement, otherName, secret, random32(9)));
      expect((await tpm.activate(forAnother)).ok).toBe(false);
      const blob = good.credentialBlob.slice();
      blob[blob.length - 1] = (blob.at(-1) as number) ^ 1;
      expect((await tpm.activate({ ...good, credentialBlob: blob })).ok).toBe(false);
    });

    test('quotes exactly the registers asked for, over exactly the data given', async () => {
      const { tpm } = get();
      const identity = unwrap(await tpm.identity());
      const point = p256Point(unwrap(parsePublic(identity.attestationPublic))) ?? new Uint8Array();
      for (const pcrs of [[0], [7, 11], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 14, 16, 23]]) {
        const quote = unwrap(await tpm.quote(random32(3), pcrs));
        const attest = unwrap(parseQuote(quote.attest));
        expect(toHex(attest.extraData)).toBe(toHex(random32(3)));
        expect(attest.selections).toEqual([{ hash: 0x0b, pcrs }]);
        expect(toHex(attest.pcrDigest)).toBe(toHex(pcrDigestOf(quote.pcrValues)));
        const signature = unwrap(parseSignature(quote.signature));
        expect(nodeCrypto.p256.verify(point, quote.attest, signature.bytes)).toBe(true);
      }
    });

    test('refuses to quote what is no ascending list of registers', async () => {
      for (const pcrs of [[24], [0, 0xffffffff], [7, 7], [11, 7]])
        expect(await get().tpm.quote(random32(3), pcrs)).toMatchObject({
          fault: { category: 'protocol', reason: 'field-invalid' },
        });
    });

    test('counts up by one, from a base that stays', async () => {
      const { tpm } = get();
      const before = unwrap(await tpm.readCounter());
      expect(unwrap(await tpm.advanceCounter())).toEqual({ value: before.value + 1, base: before.base });
      expect(unwrap(await tpm.readCounter()).value).toBe(before.value + 1);
    });

    test('answers many questions at once, each with its own answer', async () => {
      const { tpm } = get();
      const quotes = await Promise.all(Array.from({ length: 8 }, (_, index) => tpm.quote(random32(index), [0])));
      expect(quotes.map((quote) => toHex(unwrap(parseQuote(unwrap(quote).attest)).extraData))).toEqual(
        Array.from({ length: 8 }, (_, index) => toHex(random32(index))),
      );
    });
  });

  describe(`DeviceKeys: ${name}`, () => {
    const message = new TextEncoder().encode('what is signed');

    test('have one pair for each class, always the same', async () => {
      const { keys } = get();
      const classes = ['attestation', 'audit', 'report'] as const;
      const pairs = await Promise.all(classes.map(async (keyClass) => unwrap(await keys.publicKey(keyClass))));
      expect(new Set(pairs.map(({ classical }) => toHex(classical))).size).toBe(3);
      expect(new Set(pairs.map(({ postQuantum }) => createHash('sha256').update(postQuantum).digest('hex'))).size).toBe(3);
      expect(unwrap(await keys.publicKey('audit'))).toEqual(pairs[1]);
    });

    test('sign with both algorithms, and only for their own class (SR-03)', async () => {
      const { keys } = get();
      const audit = unwrap(await keys.publicKey('audit'));
      const report = unwrap(await keys.publicKey('report'));
      const signature = unwrap(await keys.sign('audit', message));
      expect(nodeCrypto.ed25519.verify(audit.classical, message, signature.classical)).toBe(true);
      expect(nodeCrypto.mlDsa65.verify(audit.postQuantum, message, signature.postQuantum)).toBe(true);
      expect(nodeCrypto.ed25519.verify(report.classical, message, signature.classical)).toBe(false);
      expect(nodeCrypto.mlDsa65.verify(report.postQuantum, message, signature.postQuantum)).toBe(false);
    });

    test('give one handle for each relying party and epoch, and no two alike', async () => {
      const { keys } = get();
      const asked = [
        ['account', 1],
        ['account', 2],
        ['command', 1],
        ['accoun', 1],
      ] as const;
      const given = await Promise.all(asked.map(async ([party, epoch]) => toHex(unwrap(await keys.handle(party, epoch)))));
      expect(new Set(given).size).toBe(asked.length);
      expect(toHex(unwrap(await keys.handle('account', 1)))).toBe(given[0]);
      for (const handle of given) expect(handle).toMatch(/^[0-9a-f]{32}$/);
    });
  });
};
