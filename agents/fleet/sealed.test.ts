import { describe, expect, test } from 'vitest';
import { utf8 } from '#hal/core/bytes';
import { codeOf, type Result, unwrap } from '#hal/core/result';
import { nodeCrypto } from '#hal/crypto/node';
import { hybridKeyPair, hybridSignatureSuites } from '#hal/crypto/suites';
import { seededRandom } from '#hal/memory/random';
import type { DeviceReport, FleetMessage, ManagedState } from '#protos/gen/types';
import { type CommandKeys, fleetHpke, openDown, openUp, sealDown, sealUp } from './sealed.ts';

const random = seededRandom('a fleet of two');
const crypto = nodeCrypto;
const box = fleetHpke(crypto, random);
const suite = hybridSignatureSuites['enigm-ed25519-mldsa65'];
const pair = () => {
  const seed = random.bytes(32);
  return { seed, publicKey: box.kem.publicKey(seed) };
};

const command = { sealing: pair(), signing: hybridKeyPair(crypto, suite, random) };
const device = { sealing: pair(), confirmation: random.bytes(32), label: 'a1'.repeat(16) };
const other = { sealing: pair(), signing: hybridKeyPair(crypto, suite, random), confirmation: random.bytes(32) };
const trusted: CommandKeys = { keys: [command.signing.publicKey], isRevoked: () => false };

const id = new Uint8Array(16).fill(0x1d);
const announcement: FleetMessage = { id, announcement: { kind: 'policy', version: 7 } };
const state: ManagedState = { kind: 'policy', version: 2 ** 41, digest: new Uint8Array(32).fill(9), holds: true };
const report = (managed: number): FleetMessage & { readonly report: DeviceReport } => ({
  id,
  report: { lifecycle: 'active', level: 'basic', managed: Array.from({ length: managed }, () => state) },
});

const signedBy = (seed: Uint8Array) => (bytes: Uint8Array) => crypto.ed25519.sign(seed, bytes) ?? new Uint8Array();
const up = (message: FleetMessage = report(3), signer = device.confirmation) =>
  unwrap(sealUp(box, command.sealing.publicKey, message, signedBy(signer)));
const readUp = (sealed: Uint8Array, seed = command.sealing.seed) =>
  openUp(crypto, box, seed, sealed, crypto.ed25519.publicKey(device.confirmation));
const down = (message: FleetMessage = announcement, signer = command.signing.secretKey, label = device.label) =>
  unwrap(sealDown(crypto, box, device.sealing.publicKey, label, message, signer));
const readDown = (sealed: Uint8Array, seed = device.sealing.seed, keys = trusted) =>
  openDown(crypto, box, seed, sealed, device.label, keys);
const outcome = (read: Result<FleetMessage>) => (read.ok ? read.value : codeOf(read.fault));

/** SR-20: payloads are sealed end to end, and their sizes say little. */
describe('what a broker carries (SR-20)', () => {
  test('opens where it is meant to, either way', () => {
    expect(outcome(readUp(up()))).toEqual(report(3));
    expect(outcome(readDown(down()))).toEqual(announcement);
  });

  test('holds no word of what is in it, and is other bytes each time', () => {
    for (const sealed of [up(), down()]) {
      for (const word of ['policy', 'active', device.label]) expect(Buffer.from(sealed).indexOf(utf8(word))).toBe(-1);
      expect(Buffer.from(sealed).indexOf(state.digest.subarray(0, 4))).toBe(-1);
    }
    expect(Buffer.compare(up(), up())).not.toBe(0);
    expect(Buffer.compare(down(), down())).not.toBe(0);
  });

  test('opens for nobody else, also not for whoever sent it', () => {
    expect(outcome(readUp(up(), other.sealing.seed))).toBe('integrity/decryption-failed');
    expect(outcome(readUp(up(), device.sealing.seed))).toBe('integrity/decryption-failed');
    expect(outcome(readDown(down(), other.sealing.seed))).toBe('integrity/decryption-failed');
    expect(outcome(readDown(down(), command.sealing.seed))).toBe('integrity/decryption-failed');
  });

  test('with a bit changed anywhere, cut or lengthened it is nothing', () => {
    for (const [sealed, read] of [
      [up(), readUp],
      [down(), readDown],
    ] as const) {
      for (let at = 0; at < sealed.length; at += 97) {
        const changed = sealed.slice();
        changed[at] = (changed[at] ?? 0) ^ (1 << (at % 8));
        expect(outcome(read(changed)), `byte ${at}`).toBe('integrity/decryption-failed');
      }
      for (const bytes of [new Uint8Array(), sealed.subarray(1), sealed.subarray(0, -1), Buffer.concat([sealed, sealed])])
        expect(outcome(read(bytes))).toBe('integrity/decryption-failed');
    }
  });

  test('counts upward only from the device that Command saw attested', () => {
    expect(outcome(readUp(up(report(3), other.confirmation)))).toBe('integrity/signature-invalid');
  });

  test('counts downward only from Command, for this label, under a key that was not revoked', () => {
    expect(outcome(readDown(down(announcement, other.signing.secretKey)))).toBe('integrity/signature-missing');
    expect(outcome(readDown(down(announcement, command.signing.secretKey, 'b2'.repeat(16))))).toBe('integrity/audience-mismatch');
    expect(outcome(readDown(down(), device.sealing.seed, { ...trusted, isRevoked: () => true }))).toBe('integrity/key-revoked');
  });

  test('is no message of the other direction, to whoever holds the key', () => {
    const echoed = unwrap(sealUp(box, device.sealing.publicKey, report(1), signedBy(device.confirmation)));
    expect(outcome(readDown(echoed))).toBe('integrity/decryption-failed');
  });

  test('has one of few sizes: an announcement and a report of one class are told apart by nothing', () => {
    const overhead = up().length - 1024;
    expect(up(report(0)).length - overhead).toBe(1024);
    expect(up(report(1)).length).toBe(up(report(0)).length);
    expect(up(report(16)).length - overhead).toBe(1024);
    expect(down(announcement).length - overhead).toBe(8192);
    expect(down(report(16)).length).toBe(down(announcement).length);
  });
});
