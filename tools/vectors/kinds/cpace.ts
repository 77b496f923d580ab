import { concat, utf8 } from '#hal/core/bytes';
import type { CryptoBackend } from '#hal/crypto/backend';
import { type CpaceInputs, cpaceFinish, cpaceGenerator, cpaceStart, cpaceTranscript } from '#hal/crypto/cpace';
import { Fields } from '../fields.ts';
import { failed, type Kind, type Outcome, passed, skipped, type Test } from '../kind.ts';
import { all, expectBytes } from '../outcomes.ts';

/** `testvectors.json` of draft-irtf-cfrg-cpace: one run, and points that must be refused. */
export const cpace: Kind = {
  name: 'CPace-X25519-SHA512',
  recognises: (file) => typeof file === 'object' && file !== null && 'G_25519' in file,
  tests: (file) => {
    const fields = new Fields(file);
    const run = fields.object('G_25519');
    const points = fields.object('X25519_points');
    return [
      { name: 'generator', run: (backend) => expectBytes('the generator', cpaceGenerator(backend, inputsOf(run)), run.hex('g')) },
      { name: 'shares', run: (backend) => shares(run, backend) },
      { name: 'key of the initiator', run: (backend) => key(run, backend, 'initiator') },
      { name: 'key of the responder', run: (backend) => key(run, backend, 'responder') },
      { name: 'session id output', run: (backend) => sessionId(run, backend) },
      { name: 'key without roles', run: () => skipped('no CPace without initiator and responder in this toolkit') },
      ...weakPoints.filter((name) => points.has(name)).map((name) => weak(name, points.hex(name), inputsOf(run))),
    ];
  },
};

/**
 * Appendix B.1.10 with its scalar s: u0…u5 and u7 are of small order and must abort. The others are only so while bit
 * 255 counts; X25519 clears it, and the results are the draft's.
 */
const scalar = 'af46e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449aff';
const results: Readonly<Record<string, string | undefined>> = {
  'Invalid Y6': 'd8e2c776bbacd510d09fd9278b7edcd25fc5ae9adfba3b6e040e8d3b71b21806',
  'Invalid Y8': 'c85c655ebe8be44ba9c0ffde69f2fe10194458d137f09bbff725ce58803cdb38',
  'Invalid Y9': 'db64dafa9b8fdd136914e61461935fe92aa372cb056314e1231bc4ec12417456',
  'Invalid Y10': 'e062dcd5376d58297be2618c7498f55baa07d7e03184e8aada20bca28888bf7a',
  'Invalid Y11': '993c6ad11c4c29da9a56f7691fd0ff8d732e49de6250b6c2e80003ff4629a175',
};
const weakPoints = Array.from({ length: 12 }, (_, index) => `Invalid Y${index}`);

const inputsOf = (run: Fields): CpaceInputs => ({ secret: run.hex('PRS'), channel: run.hex('CI'), sessionId: run.hex('sid') });

const party = (run: Fields, which: 'a' | 'b') => ({
  scalar: run.hex(`y${which}`),
  share: run.hex(`Y${which}`),
  associated: run.hex(`AD${which}`),
});

const shares = (run: Fields, backend: CryptoBackend): Outcome => {
  const made = (which: 'a' | 'b') =>
    cpaceStart(backend, inputsOf(run), run.hex(`AD${which}`), { bytes: () => run.hex(`y${which}`) }).share;
  return all(
    () => expectBytes('the share of A', made('a'), run.hex('Ya')),
    () => expectBytes('the share of B', made('b'), run.hex('Yb')),
    () => expectBytes('K', backend.x25519.shared(run.hex('ya'), run.hex('Yb')), run.hex('K')),
  );
};

const key = (run: Fields, backend: CryptoBackend, role: 'initiator' | 'responder'): Outcome => {
  const [own, peer] = role === 'initiator' ? [party(run, 'a'), party(run, 'b')] : [party(run, 'b'), party(run, 'a')];
  const isk = cpaceFinish(backend, inputsOf(run), role, own, peer);
  return expectBytes('ISK', isk.ok ? isk.value : undefined, run.hex('ISK_IR'));
};

/** §10: H.hash(b"CPaceSidOutput" ‖ transcript). */
const sessionId = (run: Fields, backend: CryptoBackend): Outcome =>
  expectBytes(
    'the session id output',
    backend.hash('sha512', concat(utf8('CPaceSidOutput'), cpaceTranscript(party(run, 'a'), party(run, 'b')))),
    run.hex('sid_output_ir'),
  );

const weak = (name: string, share: Uint8Array, inputs: CpaceInputs): Test => ({
  name,
  run(backend) {
    const q = results[name];
    if (q !== undefined) return expectBytes('q', backend.x25519.shared(bytesOf(scalar), share), bytesOf(q));
    const own = { scalar: bytesOf(scalar), share, associated: new Uint8Array(0) };
    const finished = cpaceFinish(backend, inputs, 'initiator', own, { share, associated: new Uint8Array(0) });
    return finished.ok ? failed('a share of small order was accepted') : passed;
  },
});

const bytesOf = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex, 'hex'));
