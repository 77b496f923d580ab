import { skipped } from '../kind.ts';
import { expectBytes, expectRefusal } from '../outcomes.ts';
import { wycheproof } from '../wycheproof.ts';

/**
 * `acceptable` marks keys that a library may take or refuse: points on the twist, non-canonical ones, small order.
 * We decide them by one rule. An all-zero secret must be refused (RFC 7748 §6.1); every other key must be taken, as
 * §5 demands, and give exactly the secret of the file.
 */
export const x25519 = wycheproof({
  name: 'X25519',
  algorithms: ['XDH'],
  schema: 'xdh_comp_schema',
  run(test, group, { x25519: agreement }) {
    if (group.text('curve') !== 'curve25519') return skipped(`no ${group.text('curve')} in this toolkit`);
    const isInvalid = test.oneOf('result', 'valid', 'acceptable', 'invalid') === 'invalid';
    const expected = test.hex('shared');
    const shared = () => agreement.shared(test.hex('private'), test.hex('public'));
    return isInvalid || expected.every((byte) => byte === 0)
      ? expectRefusal('an invalid key or all-zero secret', shared)
      : expectBytes('the shared secret', shared(), expected);
  },
});
