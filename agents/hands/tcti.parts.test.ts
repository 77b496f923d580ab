import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { concat, toHex, u16be, u32be } from '#hal/core/bytes';
import { unwrap } from '#hal/core/result';
import { type VirtualClock, virtualClock } from '#hal/memory/clock';
import { memoryLog } from '#hal/memory/log';
import type { WrappedAreas } from '#hal/native/areas';
import { handles } from '#hal/native/commands';
import type { Esys } from '#hal/native/esys';
import { persistent } from '#hal/native/layout';
import { createLinkKey } from '#hal/native/link-key';
import { buildAddons, createAttestationKey, startEmbedded, temporaryDirectory } from '#hal/native/testing';
import { tpm2b } from '#hal/tpm/public';
import { encodedTemplate } from '#hal/tpm/templates';
import { empty2b, noPcrs, sensitiveCreate } from '#hal/tpm/wire';
import { maxLoads } from './tcti-filter.ts';
import { serveTcti, type TctiServer } from './tcti-server.ts';

const missing = buildAddons();

/** Speaks the mssim framing with raw bytes: command-line tools stop earlier and would prove nothing (SR-02). */
const rawClient = async (path: string) => {
  const socket: Socket = connect({ path });
  await new Promise((connected) => socket.once('connect', connected));
  socket.on('error', () => undefined);
  let buffered = Buffer.alloc(0);
  const waiting: ((response: Uint8Array) => void)[] = [];
  socket.on('data', (chunk) => {
    buffered = Buffer.concat([buffered, chunk]);
    while (buffered.length >= 4 && buffered.length >= 8 + buffered.readUInt32BE(0)) {
      const length = buffered.readUInt32BE(0);
      waiting.shift()?.(new Uint8Array(buffered.subarray(4, 4 + length)));
      buffered = buffered.subarray(8 + length);
    }
  });
  return {
    send: (command: Uint8Array) =>
      new Promise<Uint8Array>((answer) => {
        waiting.push(answer);
        socket.write(concat(u32be(8), Uint8Array.of(0), u32be(command.length), command));
      }),
    leave: () => new Promise<void>((closed) => socket.once('close', () => closed()).destroy()),
    socket,
  };
};

const noSessions = 0x8001;
const withSessions = 0x8002;
const passwordArea = concat(u32be(9), u32be(0x40000009), u16be(0), Uint8Array.of(0), u16be(0));
const command = (tag: number, code: number, ...parameters: readonly Uint8Array[]) => {
  const body = concat(...parameters);
  return concat(u16be(tag), u32be(10 + body.length), u32be(code), body);
};
const codeOf = (response: Uint8Array) => new DataView(response.buffer, response.byteOffset).getUint32(6).toString(16);
const handleOf = (response: Uint8Array) => new DataView(response.buffer, response.byteOffset).getUint32(10);

describe.skipIf(missing !== undefined)(`the filter before the TPM of the network program (SR-02) ${missing ?? ''}`, () => {
  const directory = temporaryDirectory();
  const path = join(directory.path, 'tpm.sock');
  let esys: Esys;
  let server: TctiServer;
  let linkKey: WrappedAreas;
  let clock: VirtualClock;
  const log = memoryLog();
  const isAdmitted = { value: true };

  beforeAll(async () => {
    clock = virtualClock();
    esys = await startEmbedded(join(directory.path, 'tpm'));
    const nothing = sensitiveCreate(new Uint8Array(), new Uint8Array());
    const [root] = await esys.createPrimary(
      handles.owner,
      [handles.password],
      nothing,
      tpm2b(encodedTemplate.storage),
      empty2b,
      noPcrs,
    );
    await esys.evictControl(handles.owner, root, [handles.password], persistent.storageRoot);
    await esys.flushContext(root);
    linkKey = unwrap(await createLinkKey(esys));
    const options = { path, clock, log, allowedPublic: () => linkKey.publicArea, parentHandle: persistent.storageRoot };
    server = unwrap(await serveTcti({ ...options, admits: () => isAdmitted.value, transmit: (bytes) => esys.transmit(bytes) }));
  });
  afterAll(async () => {
    await server.close();
    await esys.close();
    directory[Symbol.dispose]();
  });

  const load = (parent: number, { privateArea, publicArea }: WrappedAreas) =>
    command(withSessions, 0x157, u32be(parent), passwordArea, privateArea, publicArea);
  const sign = (handle: number) =>
    command(
      withSessions,
      0x15d,
      u32be(handle),
      passwordArea,
      tpm2b(new Uint8Array(32).fill(1)),
      u16be(0x18),
      u16be(0x0b),
      u16be(0x8024),
      u32be(0x40000007),
      u16be(0),
    );

  type RawClient = Awaited<ReturnType<typeof rawClient>>;
  /** As tpm2-tss does it: again while the TPM says so, here until the client before has been flushed. */
  const loadWhenFree = async (client: RawClient): Promise<Uint8Array> => {
    for (;;) {
      const loaded = await client.send(load(persistent.storageRoot, linkKey));
      if (codeOf(loaded) !== '922') return loaded;
    }
  };

  test('lets the one key be loaded, used and flushed', async () => {
    const client = await rawClient(path);
    const loaded = await loadWhenFree(client);
    expect(codeOf(loaded)).toBe('0');
    const handle = handleOf(loaded);
    expect(codeOf(await client.send(command(noSessions, 0x173, u32be(handle))))).toBe('0');
    expect(codeOf(await client.send(sign(handle)))).toBe('0');
    expect(codeOf(await client.send(command(noSessions, 0x165, u32be(handle))))).toBe('0');
    expect(codeOf(await client.send(sign(handle)))).toBe('8b');
    await client.leave();
  });

  test.each([
    ['Quote', command(withSessions, 0x158, u32be(persistent.attestationKey), passwordArea, u16be(0), u16be(0x10), u32be(0))],
    ['NV_Increment', command(withSessions, 0x134, u32be(0x01800100), u32be(0x01800100), passwordArea)],
    ['Unseal', command(withSessions, 0x15e, u32be(0x80000000), passwordArea)],
    ['Clear', command(withSessions, 0x126, u32be(0x4000000c), passwordArea)],
    [
      'EvictControl',
      command(withSessions, 0x120, u32be(0x40000001), u32be(persistent.storageRoot), passwordArea, u32be(persistent.storageRoot)),
    ],
    [
      'StartAuthSession',
      command(
        noSessions,
        0x176,
        u32be(0x40000007),
        u32be(0x40000007),
        tpm2b(new Uint8Array(16)),
        u16be(0),
        Uint8Array.of(1),
        u16be(0x10),
        u16be(0x0b),
      ),
    ],
    ['CreatePrimary', command(withSessions, 0x131, u32be(0x40000001), passwordArea)],
    ['PCR_Extend', command(withSessions, 0x182, u32be(0), passwordArea, u32be(0))],
    ['ContextLoad', command(noSessions, 0x161)],
    ['Shutdown', command(noSessions, 0x145, u16be(0))],
    ['a vendor command', command(noSessions, 0x20000000)],
  ])('does not pass %s', async (_, bytes) => {
    const client = await rawClient(path);
    expect(codeOf(await client.send(bytes))).toBe('143');
    await client.leave();
  });

  test('does not pass another key, another parent, or a foreign handle', async () => {
    const client = await rawClient(path);
    const another = unwrap(await createLinkKey(esys));
    expect(codeOf(await client.send(load(persistent.storageRoot, another)))).toBe('8b');
    expect(codeOf(await client.send(load(0x81000002, linkKey)))).toBe('8b');
    const { handle } = await createAttestationKey(esys);
    for (const foreign of [0x80000000, 0x80000001, 0x80000002, persistent.storageRoot, 0x40000001]) {
      expect(codeOf(await client.send(sign(foreign)))).toBe('8b');
      expect(codeOf(await client.send(command(noSessions, 0x165, u32be(foreign))))).toBe('8b');
      const isParent = foreign === persistent.storageRoot;
      expect(codeOf(await client.send(command(noSessions, 0x173, u32be(foreign))))).toBe(isParent ? '0' : '8b');
    }
    await esys.flushContext(handle);
    await client.leave();
  });

  test('does not let one client use what another loaded, and flushes it when its owner leaves', async () => {
    const first = await rawClient(path);
    const second = await rawClient(path);
    const handle = handleOf(await loadWhenFree(first));
    expect(codeOf(await second.send(sign(handle)))).toBe('8b');
    expect(codeOf(await second.send(load(persistent.storageRoot, linkKey)))).toBe('922');
    await first.leave();
    await second.leave();
    const third = await rawClient(path);
    for (let reload = 0; reload < 5; reload += 1) {
      const client = await rawClient(path);
      expect(codeOf(await loadWhenFree(client))).toBe('0');
      await client.leave();
    }
    await third.leave();
  });

  test('has one object for a client that loads its key again and again, until the last of them is flushed', async () => {
    const client = await rawClient(path);
    const loaded = await loadWhenFree(client);
    for (let turn = 1; turn < maxLoads; turn += 1)
      expect(codeOf(await client.send(load(persistent.storageRoot, linkKey)))).toBe('0');
    expect(codeOf(await client.send(load(persistent.storageRoot, linkKey)))).toBe('922');
    const handle = handleOf(loaded);
    const flush = command(noSessions, 0x165, u32be(handle));
    for (let turn = 1; turn < maxLoads; turn += 1) expect(codeOf(await client.send(flush))).toBe('0');
    expect(codeOf(await client.send(sign(handle)))).toBe('0');
    expect(codeOf(await client.send(flush))).toBe('0');
    expect(codeOf(await client.send(sign(handle)))).toBe('8b');
    expect(codeOf(await client.send(flush))).toBe('8b');
    await client.leave();
  });

  test('takes only a password session: no HMAC, audit or policy session passes', async () => {
    const client = await rawClient(path);
    const handle = handleOf(await loadWhenFree(client));
    const policyArea = concat(u32be(9), u32be(0x03000000), u16be(0), Uint8Array.of(1), u16be(0));
    const twoSessions = concat(
      u32be(18),
      u32be(0x40000009),
      u16be(0),
      Uint8Array.of(0),
      u16be(0),
      u32be(0x40000009),
      u16be(0),
      Uint8Array.of(0),
      u16be(0),
    );
    for (const area of [policyArea, twoSessions]) {
      const bytes = command(
        withSessions,
        0x15d,
        u32be(handle),
        area,
        tpm2b(new Uint8Array(32)),
        u16be(0x18),
        u16be(0x0b),
        u16be(0x8024),
        u32be(0x40000007),
        u16be(0),
      );
      expect(codeOf(await client.send(bytes))).toBe('125');
    }
    await client.leave();
  });

  test.each([
    ['a length that lies', (bytes: Uint8Array) => concat(bytes.subarray(0, 2), u32be(bytes.length + 1), bytes.subarray(6))],
    ['a command cut short', (bytes: Uint8Array) => bytes.subarray(0, 9)],
    ['nothing', () => new Uint8Array()],
  ])('refuses %s', async (_, change) => {
    const client = await rawClient(path);
    expect(codeOf(await client.send(change(load(persistent.storageRoot, linkKey))))).toBe('142');
    await client.leave();
  });

  test('limits how often the key signs, for all clients together', async () => {
    await clock.advance(60_000);
    const client = await rawClient(path);
    const handle = handleOf(await loadWhenFree(client));
    const codes: string[] = [];
    for (let turn = 0; turn < 55; turn += 1) codes.push(codeOf(await client.send(sign(handle))));
    expect(codes.filter((code) => code === '0').length).toBe(50);
    expect(codes.at(-1)).toBe('922');
    await clock.advance(1_000);
    expect(codeOf(await client.send(sign(handle)))).toBe('0');
    await client.leave();
  });

  test('lets no key be loaded while there is none, and says at the end what a client sent', async () => {
    const none = join(directory.path, 'none.sock');
    const left = memoryLog();
    const options = { path: none, clock, log: left, allowedPublic: () => undefined, parentHandle: persistent.storageRoot };
    const empty = unwrap(await serveTcti({ ...options, admits: () => true, transmit: (bytes) => esys.transmit(bytes) }));
    const client = await rawClient(none);
    expect(codeOf(await client.send(load(persistent.storageRoot, linkKey)))).toBe('8b');
    expect(codeOf(await client.send(command(noSessions, 0x17a, u32be(6), u32be(0x100), u32be(1))))).toBe('0');
    expect(codeOf(await client.send(command(noSessions, 0x161)))).toBe('143');
    await client.leave();
    await empty.close();
    await expect
      .poll(() => left.entries)
      .toContainEqual(expect.objectContaining({ event: 'tcti.left', fields: { load: 1, getCapability: 1, other: 1 } }));
  });

  test('closes a connection that is no TPM client, and one that may not come in', async () => {
    const closedBy = async (bytes: Uint8Array) => {
      const client = await rawClient(path);
      client.socket.write(bytes);
      await new Promise((closed) => client.socket.once('close', closed));
    };
    await closedBy(concat(u32be(8), Uint8Array.of(0), u32be(0xffffffff)));
    await closedBy(u32be(1));
    isAdmitted.value = false;
    const socket = connect({ path });
    await new Promise((closed) => socket.once('close', closed));
    isAdmitted.value = true;
    expect(log.entries.some(({ event }) => event === 'tcti.refused')).toBe(true);
  });

  test('answers the control socket and does nothing', async () => {
    const socket = connect({ path: `${path}.ctrl` });
    const answered = new Promise<Buffer>((data) => socket.once('data', data));
    socket.write(u32be(1));
    expect(toHex(await answered)).toBe('00000000');
    socket.destroy();
    expect((await esys.getRandom([], 4)).length).toBe(6);
  });
});
