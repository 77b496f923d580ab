import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { concat, fromBase64, utf8 } from '#hal/core/bytes';
import { codeOf, type Result, unwrap } from '#hal/core/result';
import { nodeCrypto } from './node.ts';
import { encodeNote, maxNoteBytes, noteKeyId, readNote, type SignedNote, signatureBy, signatureTypes } from './signed-note.ts';

const code = (result: Result<unknown>): string => (result.ok ? 'accepted' : codeOf(result.fault));
const line = { name: 'log.example', keyId: utf8('abcd'), signature: utf8('signed') };
const note: SignedNote = { text: 'a\n\nb\n', lines: [line, { ...line, name: 'witness.example' }] };

// The example of the Go implementation of notes (golang.org/x/mod/sumdb/note): its key, text and signature.
const peter = {
  name: 'PeterNeumann',
  key: (fromBase64('ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW') as Uint8Array).subarray(1),
  note: `If you think cryptography is the answer to your problem,
then you don't know what your problem is.

— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=
`,
};

describe('a signed note', () => {
  test('of another implementation is read, and its signature verifies', () => {
    const read = unwrap(readNote(utf8(peter.note)));
    const signature = signatureBy(read, peter.name, signatureTypes.ed25519, peter.key) ?? new Uint8Array();
    expect(Buffer.from(noteKeyId(peter.name, signatureTypes.ed25519, peter.key)).toString('hex')).toBe('c74f20a3');
    expect(nodeCrypto.ed25519.verify(peter.key, utf8(read.text), signature)).toBe(true);
    expect(nodeCrypto.ed25519.verify(peter.key, utf8(read.text.replace('answer', 'question')), signature)).toBe(false);
  });

  test('keeps text and lines; the last empty line divides them', () => {
    expect(unwrap(readNote(encodeNote(note)))).toEqual(note);
  });

  test.each([
    ['without signatures', 'a\n\n', 'protocol/malformed'],
    ['without a text', '\n\n— log.example YWJjZHM=\n', 'protocol/malformed'],
    ['without the last newline', 'a\n\n— log.example YWJjZHM=', 'protocol/malformed'],
    ['with another dash', 'a\n\n- log.example YWJjZHM=\n', 'protocol/malformed'],
    ['with a plus sign in a name', 'a\n\n— log+example YWJjZHM=\n', 'protocol/malformed'],
    ['with base64 that is not canonical', 'a\n\n— log.example YWJjZHN=\n', 'protocol/malformed'],
    ['with a key id alone', 'a\n\n— log.example YWJjZA==\n', 'protocol/malformed'],
    ['with a control character', 'a\r\n\n— log.example YWJjZHM=\n', 'protocol/malformed'],
    ['with too many lines', `a\n\n${'— log.example YWJjZHM=\n'.repeat(33)}`, 'protocol/malformed'],
    ['that is too large', `${'a'.repeat(maxNoteBytes)}\n\n— log.example YWJjZHM=\n`, 'protocol/too-large'],
  ])('%s is refused', (_, text, refused) => {
    expect(code(readNote(utf8(text)))).toBe(refused);
  });

  test('of bytes that are no text is refused', () => {
    expect(code(readNote(concat(utf8('a'), new Uint8Array([0xff]), utf8('\n\n— log.example YWJjZHM=\n'))))).toBe(
      'protocol/malformed',
    );
  });

  test('is answered for whatever bytes, and written again as it was read', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(200), (bytes, at) => {
        const good = encodeNote(note);
        const spoilt = concat(good.subarray(0, at % good.length), bytes, good.subarray(at % good.length));
        const read = readNote(spoilt);
        if (read.ok) expect(encodeNote(read.value)).toEqual(spoilt);
      }),
    );
  });
});
