/** The mind of an update: one install when it is told to, and what of it came by which way. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { farEnds } from '#agents/mind/far-ends';
import { readManifest } from '#agents/update/manifest';
import { remoteInstaller, remoteRunningImage } from '#agents/update/remote-installer';
import { fromHex } from '#hal/core/bytes';
import { codeOf, unwrap } from '#hal/core/result';
import { nodeCrypto } from '#hal/crypto/node';
import { linuxClock } from '#hal/linux/clock';
import { remoteHands } from '#hal/remote/hands-client';
import { handsMethods } from '#hal/remote/hands-methods';
import { linkMethods } from '#hal/remote/link-methods';
import { socketClient } from '#hal/remote/socket-client';
import { type InstallProgress, install } from '#ota-client/apply/install';
import { openStatement } from '#ota-client/slots/statement';
import { readCustodians } from './custodians.ts';
import { configuration, usage } from './program.ts';

const { run, running, manifest, custodians, hardware } = configuration();
const hands = remoteHands(socketClient(handsMethods, join(run, 'hands.sock')));
const far = farEnds(socketClient(linkMethods, join(run, 'link.sock')), linuxClock());
const { statement, files } = unwrap(readManifest(new Uint8Array(readFileSync(manifest))));
const policy = { crypto: nodeCrypto, hardware, threshold: 2, keys: readCustodians(custodians) };
const opened = unwrap(openStatement(policy, statement));

process.on('disconnect', () => process.exit(0));
process.on('message', (word) => {
  if (word === 'install') void update();
  else process.send?.(usage());
});

const update = async (): Promise<void> => {
  let last: InstallProgress | undefined;
  const installed = await install(
    { ...opened, owner: 'mind', isForced: false },
    files,
    {
      mirrors: [far.read],
      installer: remoteInstaller(hands, (call) => call.run(new Uint8Array(32)), 'mind', statement),
      clock: linuxClock(),
      running: remoteRunningImage(hands, fromHex(running.index) ?? new Uint8Array(), running.imageBytes, 'mind'),
      onProgress(progress) {
        if (progress.phase === 'read-back') process.send?.('written');
        last = progress;
      },
    },
    new AbortController().signal,
  );
  const outcome = installed.ok ? 'installed' : codeOf(installed.fault);
  process.send?.({ outcome, fetchedBytes: last?.fetchedBytes ?? 0, made: last?.made ?? {} });
};
process.send?.('ready');
