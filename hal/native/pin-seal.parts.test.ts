import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { startSwtpm } from '#hal/contract/swtpm.fixture';
import { concat, fixedCopy, toHex, u16be, u32be, utf8 } from '#hal/core/bytes';
import { codeOf, type Result, unwrap } from '#hal/core/result';
import { seededRandom } from '#hal/memory/random';
import type { PinSealed } from '#hal/ports/pin-vault';
import { objectAttribute } from '#hal/tpm/constants';
import { encodePublic, parsePublic, tpm2b } from '#hal/tpm/public';
import { sealedTemplate, storageTemplate } from '#hal/tpm/templates';
import { maxPrivateBytes, splitAreas } from './areas.ts';
import { type Bus, tapBus } from './bus.fixture.ts';
import { handles } from './commands.ts';
import type { Esys } from './esys.ts';
import { openSimulatedEsys } from './esys-sim.ts';
import { persistent } from './layout.ts';
import { makePersistentKey } from './persistent-key.ts';
import { maxSealedBytes, sealWithPin, unsealWithPin } from './pin-seal.ts';
import { tpmVault } from './pin-vault.ts';
import { sealUnder, storageRootOf } from './seal.ts';
import { addonPaths, buildAddons, rsaStorageTemplate, startEmbedded, temporaryDirectory } from './testing.ts';

const missing = buildAddons();
const code = (result: Result<unknown>): string => (result.ok ? 'ok' : codeOf(result.fault));
const secret = new Uint8Array(64).map((_, index) => index + 1);
const pin = utf8('271828');
const authOf = (typed: Uint8Array) => createHash('sha256').update('enigm-pin-1').update(typed).digest();

const lockoutPassword = utf8('of the owner');
/** Commands of a hierarchy, Part 3: 8002, size, code, handle, one password session. */
const hierarchyCommand = (commandCode: number, handle: number, by: Uint8Array, ...parameters: readonly number[]): Buffer => {
  const session = concat(u32be(0x40000009), new Uint8Array(3), tpm2b(by));
  const values = parameters.map((value) => u32be(value));
  const body = concat(u32be(commandCode), u32be(handle), u32be(session.length), session, ...values);
  return Buffer.from(concat(Uint8Array.of(0x80, 0x02), u32be(6 + body.length), body));
};
/** TPM2_Clear by the platform, §24.6. */
const clear = hierarchyCommand(0x126, 0x4000000c, new Uint8Array());
/** TPM2_DictionaryAttackParameters, §25.3. */
const limits = (tries: number, forgetSeconds: number) =>
  hierarchyCommand(0x13a, 0x4000000a, lockoutPassword, tries, forgetSeconds, 1000);
const done = '00000000';
/** @returns the response code of a raw command */
const told = async (esys: Esys, command: Buffer) => toHex(await esys.transmit(command)).slice(12, 20);
/** As a careful owner leaves a TPM. */
const guard = async (esys: Esys): Promise<void> => {
  await esys.hierarchyChangeAuth(handles.lockout, [handles.password], tpm2b(lockoutPassword));
};

describe.skipIf(missing !== undefined)(`a secret under a PIN in a TPM ${missing ?? ''}`, () => {
  let directory: ReturnType<typeof temporaryDirectory>;
  let esys: Esys;
  let sealed: PinSealed;
  beforeEach(async () => {
    directory = temporaryDirectory();
    esys = await startEmbedded(directory.path);
    await guard(esys);
    sealed = unwrap(await sealWithPin(esys, secret, pin));
  });
  afterEach(async () => {
    await esys.close();
    directory[Symbol.dispose]();
  });
  const open = (one: PinSealed, by = pin, tpm = esys) => unsealWithPin(tpm, one, by);

  test('opens with its PIN, as often as it is asked, and after power-on', async () => {
    for (let times = 0; times < 5; times++) expect(unwrap(await open(sealed))).toEqual(secret);
    await esys.close();
    esys = await startEmbedded(directory.path);
    expect(unwrap(await open(sealed))).toEqual(secret);
  });

  // A TPM drops zeros at the end of an authorization value (Part 1 §19.6.4.3): the last one has such a digest.
  const ending = Array.from({ length: 2000 }, (_, index) => utf8(String(index))).find((typed) => authOf(typed)[31] === 0);
  test.each([
    ['one byte', utf8('7')],
    ['255 bytes', new Uint8Array(255).fill(0xff)],
    ['a digest that ends in zero', ending ?? new Uint8Array()],
  ])('takes a PIN of %s', async (_, typed) => {
    for (const bytes of [1, 32, maxSealedBytes]) {
      const one = unwrap(await sealWithPin(esys, secret.slice(0, bytes), typed));
      expect(unwrap(await open(one, typed))).toEqual(secret.slice(0, bytes));
    }
  });

  test.each([new Uint8Array(), new Uint8Array(256)])('takes no PIN of any other size', async (typed) => {
    expect(code(await sealWithPin(esys, secret, typed))).toBe('identity/pin-refused');
    expect(code(await open(sealed, typed))).toBe('identity/pin-refused');
  });

  test('stays shut for wrong PINs, and after some of them the TPM takes none, the right one neither', async () => {
    expect(await told(esys, limits(3, 1000))).toBe(done);
    for (const wrong of ['271829', '2718281']) expect(code(await open(sealed, utf8(wrong)))).toBe('identity/pin-refused');
    expect(unwrap(await open(sealed))).toEqual(secret);
    expect(code(await open(sealed, utf8('0')))).toBe('identity/pin-refused');
    expect(code(await open(sealed, utf8('1')))).toBe('unavailable/tpm-locked-out');
    expect(code(await open(sealed))).toBe('unavailable/tpm-locked-out');
    await esys.close();
    esys = await startEmbedded(directory.path);
    expect(code(await open(sealed))).toBe('unavailable/tpm-locked-out');
  });

  test.each([
    ['never locks itself', limits(0xffffffff, 1000)],
    ['forgets each wrong one at once', limits(32, 0)],
    ['has lost its lockout password, so that anybody sets the count back', clear],
  ])('is not made by a TPM that %s', async (_, command) => {
    expect(await told(esys, command)).toBe(done);
    expect(code(await sealWithPin(esys, secret, pin))).toBe('unavailable/tpm-unguarded');
  });

  test('is sealed under the storage root that is there: one of RSA does, one that could be known elsewhere does not', async () => {
    using place = temporaryDirectory();
    await using other = await startEmbedded(place.path);
    await guard(other);
    await makePersistentKey(other, handles.owner, rsaStorageTemplate, persistent.storageRoot);
    expect(unwrap(await open(unwrap(await sealWithPin(other, secret, pin)), pin, other))).toEqual(secret);
    const root = await other.handleOf(persistent.storageRoot, []);
    await other.evictControl(handles.owner, root, [handles.password], persistent.storageRoot);
    // What may be duplicated may have been imported (Part 1 §25.2).
    const { restricted, decrypt, userWithAuth, noDa, sensitiveDataOrigin } = objectAttribute;
    const loose = { ...storageTemplate, attributes: restricted | decrypt | userWithAuth | noDa | sensitiveDataOrigin };
    await makePersistentKey(other, handles.owner, encodePublic(loose), persistent.storageRoot);
    const refused = await sealWithPin(other, secret, pin);
    expect(refused).toMatchObject({ fault: { reason: 'tpm-failed', detail: /^Create: .*attributes/ } });
  });

  test('is not made where there is no storage root and its owner alone can make one; with one it is', async () => {
    using place = temporaryDirectory();
    await using other = await startEmbedded(place.path);
    await guard(other);
    await other.hierarchyChangeAuth(handles.owner, [handles.password], tpm2b(utf8('of the owner')));
    await other.setAuth(handles.owner, tpm2b(new Uint8Array()));
    const refused = await sealWithPin(other, secret, pin);
    expect(refused).toMatchObject({ fault: { reason: 'tpm-failed', detail: /^no storage root at 0x81000001/ } });
    await other.setAuth(handles.owner, tpm2b(utf8('of the owner')));
    await storageRootOf(other);
    await other.setAuth(handles.owner, tpm2b(new Uint8Array()));
    expect(unwrap(await open(unwrap(await sealWithPin(other, secret, pin)), pin, other))).toEqual(secret);
  });

  test('opens on no other TPM, and not on this one after it was cleared', async () => {
    using place = temporaryDirectory();
    await using other = await startEmbedded(place.path);
    expect(code(await open(sealed, pin, other))).toBe('unavailable/sealed-elsewhere');
    await guard(other);
    const { root } = unwrap(await sealWithPin(other, secret, pin));
    expect(code(await open(sealed, pin, other))).toBe('unavailable/sealed-elsewhere');
    // Under the name of that other one it is not there either.
    expect(code(await open({ ...sealed, root }, pin, other))).toBe('integrity/decryption-failed');
    expect(await told(esys, clear)).toBe(done);
    // ESYS did not see that: it would go on with the old password.
    await esys.setAuth(handles.lockout, tpm2b(new Uint8Array()));
    await guard(esys);
    expect(code(await open(sealed))).toBe('unavailable/sealed-elsewhere');
    unwrap(await sealWithPin(esys, secret, pin));
    expect(code(await open(sealed))).toBe('unavailable/sealed-elsewhere');
  });

  test('does not open with any bit of it changed, which costs no guess', async () => {
    expect(await told(esys, limits(1, 1000))).toBe(done);
    const flipped = (bytes: Uint8Array, bit: number) => bytes.with(bit >> 3, (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7)));
    for (let bit = 0; bit < 8 * sealed.wrapped.length; bit++) {
      const wrapped = flipped(sealed.wrapped, bit);
      expect(code(await open({ ...sealed, wrapped })), `bit ${bit}`).toBe('integrity/decryption-failed');
    }
    for (let bit = 0; bit < 8 * sealed.root.length; bit++)
      expect(code(await open({ ...sealed, root: flipped(sealed.root, bit) }))).toBe('unavailable/sealed-elsewhere');
    expect(unwrap(await open(sealed))).toEqual(secret);
  });

  test('is refused by value whatever the bytes are: cut, longer, empty, or anything', async () => {
    const random = seededRandom('wrapped');
    const { wrapped } = sealed;
    const others = [
      ...Array.from({ length: wrapped.length }, (_, length) => wrapped.slice(0, length)),
      ...[concat(wrapped, Uint8Array.of(0)), new Uint8Array(5000), new Uint8Array(600).fill(255)],
      ...Array.from({ length: 50 }, (_, index) => random.bytes(index * 7)),
      // As long as a private area may be, with a public area that is ours.
      concat(u16be(maxPrivateBytes), random.bytes(maxPrivateBytes), splitAreas(wrapped)?.publicArea ?? new Uint8Array()),
    ];
    for (const other of others)
      expect(code(await open({ ...sealed, wrapped: other })), toHex(other)).toBe('integrity/decryption-failed');
    expect(code(await open({ ...sealed, root: new Uint8Array() }))).toBe('unavailable/sealed-elsewhere');
    expect(unwrap(await open(sealed))).toEqual(secret);
  });

  test('has the protection against guesses, and one without it does not open, though its PIN be right', async () => {
    const area = splitAreas(sealed.wrapped)?.publicArea.subarray(2) ?? new Uint8Array();
    const { attributes, authPolicy } = unwrap(parsePublic(area));
    const { fixedTpm, fixedParent, userWithAuth, noDa } = objectAttribute;
    expect([attributes, authPolicy.length]).toEqual([fixedTpm | fixedParent | userWithAuth, 0]);
    const bare = sealedTemplate(new Uint8Array());
    expect(encodePublic(bare)).not.toEqual(encodePublic({ ...bare, attributes }));
    expect(bare.attributes & noDa).not.toBe(0);
    const unguarded = await sealUnder(esys, await storageRootOf(esys), bare, secret, fixedCopy(authOf(pin)));
    expect(code(await open({ ...sealed, wrapped: unguarded }))).toBe('integrity/decryption-failed');
  });

  test('has no TPM or no addon: that is said, with the path', async () => {
    const nowhere = tpmVault({ addon: addonPaths.release, device: '/nowhere/tpmrm0' }, pin);
    expect(await nowhere.open(sealed)).toMatchObject({
      fault: { reason: 'tpm-missing', detail: /no such file.*\/nowhere\/tpmrm0/ },
    });
    const mistaken = join(directory.path, 'file');
    writeFileSync(mistaken, 'something of value');
    const over = tpmVault({ addon: addonPaths.release, device: mistaken }, pin);
    expect(await over.open(sealed)).toMatchObject({ fault: { reason: 'tpm-missing', detail: `${mistaken} is no device` } });
    expect(readFileSync(mistaken, 'utf8')).toBe('something of value');
    const bare = tpmVault({ addon: '/nowhere/tpm.node', device: '/dev/null' }, pin);
    expect(await bare.seal(secret)).toMatchObject({ fault: { reason: 'tpm-missing', detail: /\/nowhere\/tpm\.node/ } });
  });
});

describe.skipIf(missing !== undefined)(`the bus to that TPM ${missing ?? ''}`, () => {
  const withBus = async (use: (openTpm: () => Promise<Esys>, bus: Bus) => Promise<void>) => {
    using directory = temporaryDirectory();
    const swtpm = await startSwtpm(join(directory.path, 'swtpm'));
    try {
      await using bus = await tapBus(swtpm.path, join(directory.path, 'bus'));
      const openTpm = async () => unwrap(await openSimulatedEsys({ addon: addonPaths.sim, swtpm: { path: bus.path } }));
      await using esys = await openTpm();
      await esys.startup(0);
      await guard(esys);
      await use(openTpm, bus);
    } finally {
      await swtpm.stop();
    }
  };

  test('carries neither the secret nor the PIN, nor what stands for it', async () => {
    await withBus(async (openTpm, bus) => {
      await using esys = await openTpm();
      const sealed = unwrap(await sealWithPin(esys, secret, pin));
      expect(unwrap(await unsealWithPin(esys, sealed, pin))).toEqual(secret);
      expect(code(await unsealWithPin(esys, sealed, utf8('0')))).toBe('identity/pin-refused');
      const heard = bus.heard();
      // What is no secret is heard: that is how we know that somebody listened.
      expect(heard.includes(Buffer.from(splitAreas(sealed.wrapped)?.privateArea ?? 'nothing'))).toBe(true);
      for (const hidden of [secret.slice(0, 16), secret.slice(48), pin, authOf(pin).subarray(0, 31), authOf(utf8('0'))])
        expect(heard.includes(Buffer.from(hidden))).toBe(false);
    });
  });

  test('puts no other root of storage in the place of the one that sealed', async () => {
    using place = temporaryDirectory();
    await using other = await startEmbedded(place.path);
    await storageRootOf(other);
    await guard(other);
    const readRoot = Buffer.from('80010000000e0000017381000001', 'hex');
    const strange = await other.transmit(readRoot);
    await withBus(async (openTpm, bus) => {
      await using before = await openTpm();
      const sealed = unwrap(await sealWithPin(before, secret, pin));
      bus.answer = (command) => (command.equals(readRoot) ? strange : undefined);
      await using esys = await openTpm();
      expect(code(await unsealWithPin(esys, sealed, pin))).toBe('unavailable/sealed-elsewhere');
      // With the name that it shows, the session would be salted for whoever gave it, and the TPM answers nothing in it.
      const { root } = unwrap(await sealWithPin(other, secret, pin));
      expect((await unsealWithPin(esys, { ...sealed, root }, pin)).ok).toBe(false);
      bus.answer = () => undefined;
      await using after = await openTpm();
      expect(unwrap(await unsealWithPin(after, sealed, pin))).toEqual(secret);
    });
  });
});
