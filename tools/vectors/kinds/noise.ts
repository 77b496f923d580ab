import { equalBytes } from '#hal/core/bytes';
import type { CryptoBackend } from '#hal/crypto/backend';
import { Handshake, type HandshakeOptions } from '#hal/crypto/noise';
import { noisePatterns, type Pattern } from '#hal/crypto/noise-patterns';
import { Fields } from '../fields.ts';
import { failed, type Kind, type Outcome, passed, skipped, type Test } from '../kind.ts';

/** cacophony's vectors, as snow keeps them: `vectors` of handshakes with the transport messages that follow. */
export const noise: Kind = {
  name: 'Noise',
  recognises: (file) =>
    typeof file === 'object' && file !== null && 'vectors' in file && Array.isArray(file.vectors) && file.vectors.every(isVector),
  tests: (file) => new Fields(file).list('vectors').map(handshakeTest),
};

const isVector = (value: unknown): boolean => typeof value === 'object' && value !== null && 'protocol_name' in value;

const handshakeTest = (vector: Fields): Test => {
  const name = vector.text('protocol_name');
  const [, pattern = '', ...suite] = name.split('_');
  return {
    name,
    run(backend) {
      if (suite.join('_') !== '25519_ChaChaPoly_SHA256') return skipped(`no Noise suite ${suite.join('_')} in this toolkit`);
      const known = noisePatterns.get(pattern);
      return known === undefined ? skipped(`no Noise pattern ${pattern} in this toolkit`) : walk(vector, known, backend);
    },
  };
};

const sideOf = (vector: Fields, pattern: Pattern, role: 'initiator' | 'responder', backend: CryptoBackend): Handshake => {
  const prefix = role === 'initiator' ? 'init' : 'resp';
  const staticSecret = vector.optionalHex(`${prefix}_static`);
  const remoteStatic = vector.optionalHex(`${prefix}_remote_static`);
  const psk = vector.has(`${prefix}_psks`) ? vector.texts(`${prefix}_psks`)[0] : undefined;
  const options: HandshakeOptions = {
    pattern,
    role,
    prologue: vector.hex(`${prefix}_prologue`),
    ...(staticSecret === undefined ? {} : { staticSecret }),
    ...(remoteStatic === undefined ? {} : { remoteStatic }),
    ...(psk === undefined ? {} : { psk: new Uint8Array(Buffer.from(psk, 'hex')) }),
  };
  return new Handshake(backend, { bytes: () => vector.hex(`${prefix}_ephemeral`) }, options);
};

/** Both sides go through the handshake and the transport messages; every byte on the way is compared. */
const walk = (vector: Fields, pattern: Pattern, backend: CryptoBackend): Outcome => {
  const initiator = sideOf(vector, pattern, 'initiator', backend);
  const responder = sideOf(vector, pattern, 'responder', backend);
  const messages = vector.list('messages');
  const handshakes = messages.slice(0, pattern.messages.length);
  for (const [index, message] of handshakes.entries()) {
    const [writer, reader] = index % 2 === 0 ? [initiator, responder] : [responder, initiator];
    const written = writer.write(message.hex('payload'));
    if (!written.ok || !equalBytes(written.value, message.hex('ciphertext'))) return failed(`message ${index} differs`);
    const read = reader.read(message.hex('ciphertext'));
    if (!read.ok || !equalBytes(read.value, message.hex('payload'))) return failed(`payload ${index} differs`);
  }
  const [a, b] = [initiator.finish(), responder.finish()];
  if (!equalBytes(a.hash, b.hash)) return failed('the sides disagree on the hash');
  if (vector.has('handshake_hash') && !equalBytes(a.hash, vector.hex('handshake_hash')))
    return failed('the handshake hash differs');
  const isOneWay = pattern.messages.length === 1;
  const none = new Uint8Array(0);
  for (const [offset, message] of messages.slice(handshakes.length).entries()) {
    const index = handshakes.length + offset;
    const [from, to] = isOneWay || index % 2 === 0 ? [a, b] : [b, a];
    const sealed = from.send.encrypt(none, message.hex('payload'));
    if (!equalBytes(sealed, message.hex('ciphertext'))) return failed(`message ${index} differs`);
    const opened = to.receive.decrypt(none, sealed);
    if (opened === undefined || !equalBytes(opened, message.hex('payload'))) return failed(`payload ${index} differs`);
  }
  return passed;
};
