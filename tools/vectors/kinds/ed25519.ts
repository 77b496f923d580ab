import { failed, passed, skipped } from '../kind.ts';
import { isValid } from '../outcomes.ts';
import { wycheproof } from '../wycheproof.ts';

export const ed25519 = wycheproof({
  name: 'Ed25519 verification',
  algorithms: ['EDDSA'],
  schema: 'eddsa_verify_schema',
  run(test, group, backend) {
    const key = group.object('publicKey');
    if (key.text('curve') !== 'edwards25519') return skipped(`no ${key.text('curve')} in this toolkit`);
    const verifies = backend.ed25519.verify(key.hex('pk'), test.hex('msg'), test.hex('sig'));
    if (verifies === isValid(test)) return passed;
    return failed(verifies ? 'an invalid signature was accepted' : 'a valid signature was refused');
  },
});
