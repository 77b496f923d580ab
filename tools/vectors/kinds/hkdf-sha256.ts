import { expectBytes, expectRefusal, isValid } from '../outcomes.ts';
import { wycheproof } from '../wycheproof.ts';

export const hkdfSha256 = wycheproof({
  name: 'HKDF-SHA-256',
  algorithms: ['HKDF-SHA-256'],
  schema: 'hkdf_test_schema',
  run(test, _group, backend) {
    const derive = () => backend.hkdf(test.hex('ikm'), test.hex('salt'), test.hex('info'), test.integer('size'));
    return isValid(test)
      ? expectBytes('the output', derive(), test.hex('okm'))
      : expectRefusal('an output above 255 blocks', derive);
  },
});
