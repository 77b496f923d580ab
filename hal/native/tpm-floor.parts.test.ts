import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { startSwtpm } from '#hal/contract/swtpm.fixture';
import type { FloorApprovals } from '#hal/core/floor-approval';
import { codeOf, type Result, unwrap } from '#hal/core/result';
import { alg, nvAttribute } from '#hal/tpm/constants';
import { floorArea, floorIndex, floorMask, floorReference, floorWriteHash, floorWritePolicy } from '#hal/tpm/floor';
import { floorApprovals } from '#hal/tpm/floor.fixture';
import { tpm2b } from '#hal/tpm/public';
import { encodedTemplate } from '#hal/tpm/templates';
import { contentOf, empty2b, noSymmetric, nvPublic } from '#hal/tpm/wire';
import { authorizePolicy } from './approved-policy.ts';
import { handles } from './commands.ts';
import { encryptedSession } from './encrypted-session.ts';
import type { Esys } from './esys.ts';
import { openSimulatedEsys } from './esys-sim.ts';
import { persistent } from './layout.ts';
import { makePersistentKey } from './persistent-key.ts';
import { addonPaths, buildAddons, password, startEmbedded, temporaryDirectory } from './testing.ts';
import { esysFloor, type TpmFloor } from './tpm-floor.ts';
import { transientScope } from './transient.ts';

const missing = buildAddons();
const approvals = floorApprovals(9);
const code = (result: Result<unknown>): string => (result.ok ? 'done' : codeOf(result.fault));
/** TPM2_Clear by the lockout hierarchy with an empty password (Part 3 §24.6). */
const clear = Buffer.from('80020000001b000001264000000a00000009400000090000000000', 'hex');
const answerCode = (response: Uint8Array) => new DataView(response.buffer, response.byteOffset).getUint32(6);

const makers = {
  embedded: async (folder: string) => {
    const esys = await startEmbedded(join(folder, 'embedded'));
    return { esys, stop: () => esys.close() };
  },
  swtpm: async (folder: string) => {
    const swtpm = await startSwtpm(join(folder, 'swtpm'));
    const esys = unwrap(await openSimulatedEsys({ addon: addonPaths.sim, swtpm: { path: swtpm.path } }));
    await esys.startup(0);
    return { esys, stop: () => swtpm.stop() };
  },
} as const;

describe.skipIf(missing !== undefined).each(['embedded', 'swtpm'] as const)(`the floor in a TPM: %s ${missing ?? ''}`, (kind) => {
  let directory: ReturnType<typeof temporaryDirectory>;
  let esys: Esys;
  let stop: () => Promise<unknown>;
  let floor: TpmFloor;
  beforeEach(async () => {
    directory = temporaryDirectory();
    ({ esys, stop } = await makers[kind](directory.path));
    await makePersistentKey(esys, handles.owner, encodedTemplate.storage, persistent.storageRoot);
    floor = esysFloor(esys, approvals);
  });
  afterEach(async () => {
    await esys.close();
    await stop();
    directory[Symbol.dispose]();
  });

  /** A policy session that is ready for the write to an epoch, and not used yet. */
  const openedFor = async (epoch: number, { key, signatures }: FloorApprovals = approvals) => {
    const { none } = handles;
    const session = await esys.startAuthSession(none, none, [], null, 1, noSymmetric, alg.sha256);
    await esys.policyCpHash(session, [], tpm2b(floorWriteHash(key, epoch)));
    const approved = { key, policy: floorWritePolicy(key, epoch), signature: signatures[epoch] ?? new Uint8Array(64) };
    await authorizePolicy(esys, session, approved, floorReference);
    return session;
  };
  const setBits = async (session: number, mask: bigint): Promise<void> => {
    const index = await esys.handleOf(floorIndex, []);
    await esys.nvSetBits(index, index, [session], mask);
  };

  test('begins at 0, rises by many at once, and a lower one or the same again changes nothing (SR-08)', async () => {
    expect(unwrap(await floor.read())).toBeUndefined();
    expect(code(await floor.raise(1))).toBe('unavailable/floor-missing');
    unwrap(await floor.define());
    unwrap(await floor.define());
    expect(unwrap(await floor.read())).toBe(0);
    for (const [epoch, reached] of [
      [5, 5],
      [3, 5],
      [5, 5],
      [9, 9],
    ] as const) {
      unwrap(await floor.raise(epoch));
      expect(unwrap(await floor.read())).toBe(reached);
    }
    expect(code(await floor.raise(10))).toBe('policy/floor-unapproved');
    expect(code(await floor.raise(0))).toBe('policy/floor-unapproved');
    await esys.shutdown([], 0);
    expect(unwrap(await esysFloor(esys, floorApprovals(1)).read())).toBe(9);
  });

  test('does not fall by a session that was opened before a raise (SR-08)', async () => {
    unwrap(await floor.define());
    const stale = await openedFor(3);
    unwrap(await floor.raise(9));
    await setBits(stale, floorMask(3));
    expect(unwrap(await floor.read())).toBe(9);
  });

  test('takes no other mask than the approved one, no write without approval, and none by the owner (SR-08)', async () => {
    unwrap(await floor.define());
    const session = await openedFor(3);
    await expect(setBits(session, floorMask(4))).rejects.toMatchObject({ name: 'TpmError' });
    await esys.flushContext(session);
    const index = await esys.handleOf(floorIndex, []);
    await expect(esys.nvSetBits(index, index, password, 1n)).rejects.toMatchObject({ name: 'TpmError' });
    await expect(esys.nvSetBits(handles.owner, index, password, 1n)).rejects.toMatchObject({ name: 'TpmError' });
    await expect(esys.nvWrite(handles.owner, index, password, tpm2b(new Uint8Array(8)), 0)).rejects.toMatchObject({
      name: 'TpmError',
    });
    // The first write again, which the written index has no name for.
    const first = await openedFor(0);
    await expect(setBits(first, 0n)).rejects.toMatchObject({ name: 'TpmError' });
    await esys.flushContext(first);
    expect(unwrap(await floor.read())).toBe(0);
  });

  test('takes no approval of another key, nor one that another key signed in its name', async () => {
    unwrap(await floor.define());
    const other = new Uint8Array(32).fill(8);
    const forged = esysFloor(esys, floorApprovals(2, undefined, other));
    expect(code(await forged.raise(2))).toBe('unavailable/tpm-failed');
    const foreign = esysFloor(esys, floorApprovals(2, other));
    expect(code(await foreign.read())).toBe('integrity/floor-mismatch');
    expect(code(await foreign.define())).toBe('integrity/floor-mismatch');
    expect(unwrap(await floor.read())).toBe(0);
  });

  test('an index that was cut before its first write is no floor, and is finished', async () => {
    await esys.nvDefineSpace(handles.owner, password, empty2b, tpm2b(floorArea(approvals.key, false)));
    expect(unwrap(await floor.read())).toBeUndefined();
    expect(code(await floor.raise(1))).toBe('unavailable/floor-missing');
    unwrap(await floor.define());
    expect(unwrap(await floor.read())).toBe(0);
  });

  test('the approvals of one device are those of every device', async () => {
    using elsewhere = temporaryDirectory();
    await using other = await startEmbedded(elsewhere.path);
    await makePersistentKey(other, handles.owner, encodedTemplate.storage, persistent.storageRoot);
    const theirs = esysFloor(other, approvals);
    unwrap(await floor.define());
    unwrap(await theirs.define());
    unwrap(await theirs.raise(4));
    const names = await Promise.all([esys, other].map(async (one) => one.nameOf(await one.handleOf(floorIndex, []))));
    expect(names[0]).toEqual(names[1]);
  });

  test('row 47: a TPM that is locked out is asked for no floor, and says so', async () => {
    unwrap(await floor.define());
    const attributes = nvAttribute.authRead | nvAttribute.authWrite;
    const guarded = await esys.nvDefineSpace(
      handles.owner,
      password,
      tpm2b(Uint8Array.of(1)),
      nvPublic(0x01800200, attributes, 8),
    );
    await esys.setAuth(guarded, tpm2b(Uint8Array.of(1)));
    await esys.nvWrite(guarded, guarded, password, tpm2b(new Uint8Array(8)), 0);
    await esys.setAuth(guarded, tpm2b(Uint8Array.of(2)));
    let wrong = 0;
    while ((await floor.read()).ok && wrong < 64) {
      wrong += 1;
      await esys.nvRead(guarded, guarded, password, 8, 0).catch(() => undefined);
    }
    expect(code(await floor.read())).toBe('unavailable/tpm-locked-out');
    expect(wrong).toBeLessThan(64);
  });

  test('row 47: a TPM that was cleared has no floor and nothing to read it by', async () => {
    unwrap(await floor.define());
    unwrap(await floor.raise(2));
    expect(answerCode(await esys.transmit(clear))).toBe(0);
    expect(unwrap(await floor.read())).toBeUndefined();
  });

  test('row 47: a TPM without room says so, and takes the floor once there is some', async () => {
    const filled: number[] = [];
    for (let index = 0x01801000; ; index += 1) {
      const made = await esys
        .nvDefineSpace(handles.owner, password, empty2b, nvPublic(index, nvAttribute.authRead | nvAttribute.authWrite, 1024))
        .catch(() => undefined);
      if (made === undefined) break;
      filled.push(made);
    }
    for (let index = 0x01802000; ; index += 1) {
      const made = await esys
        .nvDefineSpace(handles.owner, password, empty2b, nvPublic(index, nvAttribute.authRead | nvAttribute.authWrite, 8))
        .catch(() => undefined);
      if (made === undefined) break;
    }
    expect(filled.length).toBeGreaterThan(0);
    expect(code(await floor.define())).toBe('resource/tpm-full');
    expect(unwrap(await floor.read())).toBeUndefined();
    await esys.nvUndefineSpace(handles.owner, filled[0] ?? 0, password);
    unwrap(await floor.define());
    expect(unwrap(await floor.read())).toBe(0);
  });

  test('many read it at once, and at once with whoever needs the storage root', async () => {
    unwrap(await floor.define());
    unwrap(await floor.raise(2));
    const others = Array.from({ length: 20 }, async () => {
      const root = await esys.handleOf(persistent.storageRoot, []);
      await using scope = await transientScope(esys);
      scope.keep(await encryptedSession(esys, root, 'encrypt'));
    });
    const read = await Promise.all(Array.from({ length: 20 }, () => floor.read()));
    expect(read.map(unwrap)).toEqual(Array(20).fill(2));
    await Promise.all(others);
  });

  test('an index of bits that are no floor is none', async () => {
    unwrap(await floor.define());
    expect(contentOf(await esys.nameOf(await esys.handleOf(floorIndex, []))).length).toBe(34);
    await esys.nvUndefineSpace(handles.owner, await esys.handleOf(floorIndex, []), password);
    const attributes = nvAttribute.authRead | nvAttribute.authWrite | nvAttribute.noDa;
    await esys.nvDefineSpace(handles.owner, password, empty2b, nvPublic(floorIndex, attributes, 8));
    expect(code(await floor.read())).toBe('integrity/floor-mismatch');
  });
});

describe.skipIf(missing !== undefined)(`the process of a TPM ${missing ?? ''}`, () => {
  test('row 47: that went away has no floor, and the code says why', async () => {
    using directory = temporaryDirectory();
    const { esys, stop } = await makers.swtpm(directory.path);
    await makePersistentKey(esys, handles.owner, encodedTemplate.storage, persistent.storageRoot);
    const floor = esysFloor(esys, approvals);
    unwrap(await floor.define());
    await stop();
    expect(code(await floor.read())).toBe('unavailable/tpm-missing');
    expect(code(await floor.raise(1))).toBe('unavailable/tpm-missing');
    await esys.close();
    expect(code(await floor.read())).toBe('unavailable/tpm-missing');
  });
});
