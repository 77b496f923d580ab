/**
 * enigm-paged, a child beside the mind (SR-32): the Trust Security Center page on loopback. It reads the mind's feed
 * and nothing else: no keys, no door that can change anything, no other program.
 */
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { feedMethods } from '#agents/api/methods';
import { parseSite } from '#agents/management/site';
import { newBoard } from '#agents/page/board';
import { feedOf } from '#agents/page/feed';
import { servePage } from '#agents/page/server';
import { unwrap } from '#hal/core/result';
import { linuxClock } from '#hal/linux/clock';
import { systemRandom } from '#hal/linux/random';
import { socketClient } from '#hal/remote/socket-client';
import { deviceLayout, socketPath } from './layout.ts';
import { aborted, exitCode, runProgram } from './runtime.ts';

runProgram('enigm-paged', ['directory', 'run'], async ({ options, log, signal, ready }) => {
  const site = unwrap(parseSite(readFileSync(deviceLayout(options.directory).site, 'utf8')));
  const link = join(options.run, 'page.url');
  // A link that an earlier life left behind leads nowhere.
  rmSync(link, { force: true });
  const clock = linuxClock();
  const board = newBoard(clock);
  const client = socketClient(feedMethods, socketPath(options.run, 'feed'));
  const feed = feedOf({ client, board, clock, log });
  const server = unwrap(
    await servePage({
      port: site.page.port,
      board,
      clock,
      log,
      random: systemRandom,
      renew: feed.renew,
      onLink: (url) => publish(link, url),
    }),
  );
  ready({ port: server.port });
  const following = feed.follow(signal);
  await aborted(signal);
  await server.close();
  client.close();
  await following;
  rmSync(link, { force: true });
  return exitCode.done;
});

/**
 * Whole or not there, and for its owner alone: whoever may read this file may look at the page. Not synced, because it
 * is worth nothing after this start.
 */
const publish = (path: string, url: string): void => {
  const temporary = `${path}.new`;
  rmSync(temporary, { force: true });
  writeFileSync(temporary, `${url}\n`, { mode: 0o600, flag: 'wx' });
  renameSync(temporary, path);
};
