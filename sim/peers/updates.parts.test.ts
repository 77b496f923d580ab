/** The far ends of an update over their real doors, with images by the real tool: asked, found, fetched, installed. */
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { directorMethods } from '#agents/update/director-methods';
import { toHex, utf8 } from '#hal/core/bytes';
import { unwrap } from '#hal/core/result';
import { nodeCrypto } from '#hal/crypto/node';
import { linuxClock } from '#hal/linux/clock';
import { httpsExchange } from '#hal/linux/https-exchange';
import { httpsRange } from '#hal/linux/https-range';
import { systemRandom } from '#hal/linux/random';
import { memoryStore } from '#hal/memory/durable-store';
import { seededRandom } from '#hal/memory/random';
import { maxRangeBytes } from '#hal/ports/http-range';
import { exchangeClient } from '#hal/remote/exchange-client';
import type { FetchRange } from '#ota-client/apply/fetch';
import { deviceTrust } from '#ota-client/trust/device-trust';
import { refresh } from '#ota-client/trust/refresh';
import type { Fetch } from '#ota-client/trust/session';
import { newAuthority } from './authority.ts';
import { type FilesPeer, startFiles } from './files.ts';
import { buildRootImage, imageTool } from './image-build.ts';
import { dropSignature, flipBits } from './mirror.ts';
import { treeImages } from './release-plans.ts';
import { callOf, code, memoryDevice, never, secrets as signing, slotContent } from './releases.fixture.ts';
import { openPeerSecrets } from './secrets.ts';
import { startUpdates, type UpdatePeers } from './updates.ts';

describe.skipIf(!existsSync(imageTool))('the far ends of an update (erofs-utils)', () => {
  const clock = linuxClock();
  const directory = mkdtempSync(join(tmpdir(), 'enigm-updates-'));
  const live = new Set<string>();
  let updates: UpdatePeers;
  let files: FilesPeer;
  let authority: string;
  let mirror: FetchRange;

  beforeAll(async () => {
    const programs = join(directory, 'programs');
    mkdirSync(programs);
    writeFileSync(join(programs, 'agentd.cjs'), utf8('const program = 1;\n'.repeat(20_000)));
    writeFileSync(join(programs, 'model.bin'), seededRandom('a model').bytes(900_000));
    const opened = await openPeerSecrets(directory, clock, systemRandom);
    const tls = await newAuthority('test TLS', 'ed25519', clock);
    const secrets = { ...opened, ...signing, tlsAuthority: tls };
    authority = tls.certificate;
    const areReferencesLive = (root: Uint8Array) => live.has(toHex(root));
    const imageOf = treeImages(programs, buildRootImage);
    updates = unwrap(await startUpdates({ directory, imageOf, secrets, clock, areReferencesLive }));
    files = await startFiles({ directory: join(directory, 'repository'), secrets, clock });
    const range = httpsRange({ repository: { url: files.url, authority } });
    mirror = (path, offset, length, signal) => range.read('repository', path, offset, length, signal);
  });
  afterAll(async () => {
    await files?.close();
    await updates?.close();
    rmSync(directory, { recursive: true });
  });

  const publish = async (plan: Parameters<UpdatePeers['releases']['build']>[0]) => {
    const release = unwrap(await updates.releases.build(plan));
    live.add(toHex(release.facts.verityRoot));
    unwrap(await updates.releases.publish(release));
    return release;
  };

  test('a real image is published, named by the director over HTTPS, and installed in ranges, full and from its base', async () => {
    const release = await publish({ id: 'release-2', counter: 2 });
    const exchange = httpsExchange({ director: { url: updates.director.url, authority } });
    const director = exchangeClient(directorMethods, exchange, 'director');
    const answer = unwrap(await director.call('director.targets', callOf(clock.nowMs())));
    expect(answer.files.map(({ name }) => name)).toContain('timestamp.json');
    expect(updates.director.answered.at(-1)?.offered).toEqual(['os/release-2']);
    const content = slotContent(release);
    let fullBytes = 0;
    for (const knowsBase of [false, true]) {
      const device = await memoryDevice({ releases: updates.releases, clock });
      const installed = unwrap(await device.install(release.manifest, 'os', mirror, knowsBase));
      expect(Buffer.compare(device.written(content.length), content)).toBe(0);
      // Two files of a few bytes differ: nearly all of the image is there already.
      if (knowsBase) expect(installed.fetchedBytes).toBeLessThan(fullBytes / 20);
      fullBytes = installed.fetchedBytes;
    }
  });

  test('a mirror that flips a bit in a piece, or drops a signature, is found out', async () => {
    const release = await publish({ id: 'release-3', counter: 3 });
    const device = await memoryDevice({ releases: updates.releases, clock });
    files.takePath(flipBits());
    expect(code(await device.install(release.manifest, 'os', mirror, false))).toBe('integrity/segment-mismatch');
    files.takePath(dropSignature());
    const fetch: Fetch = (name, maxBytes, signal) => mirror(`metadata/${name}`, 0, Math.min(maxBytes, maxRangeBytes), signal);
    const trust = deviceTrust({ crypto: nodeCrypto, fetch, store: memoryStore(), pinnedRoot: updates.releases.root });
    const seen = () => refresh(trust, { nowMs: clock.nowMs(), floorMs: 0 }, never);
    expect(code(await seen())).toBe('integrity/signature-missing');
    files.takePath();
    expect(code(await seen())).toBe('ok');
  });
});
