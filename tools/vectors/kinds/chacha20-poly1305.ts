import { concat } from '#hal/core/bytes';
import { all, expectBytes, expectRefusal, isValid } from '../outcomes.ts';
import { wycheproof } from '../wycheproof.ts';

/** A valid test is sealed to the same bytes and opened again; an invalid one must not open. */
export const chacha20Poly1305 = wycheproof({
  name: 'ChaCha20-Poly1305',
  algorithms: ['CHACHA20-POLY1305'],
  schema: 'aead_test_schema',
  run(test, _group, { chacha20Poly1305: aead }) {
    const [key, nonce, associated] = [test.hex('key'), test.hex('iv'), test.hex('aad')] as const;
    const plaintext = test.hex('msg');
    const sealed = concat(test.hex('ct'), test.hex('tag'));
    const open = () => aead.open(key, nonce, associated, sealed);
    if (!isValid(test)) return expectRefusal('an altered message', open);
    return all(
      () => expectBytes('the sealed message', aead.seal(key, nonce, associated, plaintext), sealed),
      () => expectBytes('the opened message', open(), plaintext),
    );
  },
});
