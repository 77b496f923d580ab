import { cobsDecode, cobsEncode } from '#firmware-key/core/cobs';
import { crc32c } from '#firmware-key/core/crc32c';
import { u32 } from '#firmware-key/core/octets';
import { Fields } from '../fields.ts';
import { failed, type Kind, skipped, type Test } from '../kind.ts';
import { all, expectBytes } from '../outcomes.ts';

/** Framing of the Key's line: check values of the CRC catalogue and COBS pairs. No back end has a part in it. */
export const framing: Kind = {
  name: 'framing',
  recognises: (file) => typeof file === 'object' && file !== null && 'crc_check_input' in file && 'cobs' in file,
  tests: (file) => {
    const fields = new Fields(file);
    const input = fields.hex('crc_check_input');
    return [
      ...fields.list('crc').map((entry) => crcTest(entry, input)),
      ...fields.list('cobs').map((pair, index) => cobsTest(pair, `COBS ${index + 1}`)),
    ];
  },
};

const shipped = 'CRC-32/ISCSI';

const crcTest = (entry: Fields, input: Uint8Array): Test => {
  const name = entry.text('name');
  return {
    name,
    run: () =>
      name.startsWith(shipped)
        ? expectBytes('the CRC', u32(crc32c(input)), entry.hex('check'))
        : skipped(`no ${name} in this toolkit`),
  };
};

const cobsTest = (pair: Fields, name: string): Test => ({
  name,
  run: () => {
    const raw = pair.hex('raw');
    const decoded = cobsDecode(pair.hex('cobs'));
    return all(
      () => expectBytes('the encoding', cobsEncode(raw), pair.hex('cobs')),
      () => (decoded === undefined ? failed('the encoding was refused') : expectBytes('the decoding', decoded, raw)),
    );
  },
});
