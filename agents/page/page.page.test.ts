/** The page as people meet it: a real browser, a real feed socket, a mind whose answers the test decides. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { feedMethods } from '#agents/api/methods';
import { watchers } from '#agents/mind/watchers';
import { english } from '#agents/posture/english';
import { findingKinds } from '#agents/posture/findings';
import { ok, unwrap } from '#hal/core/result';
import { linuxClock } from '#hal/linux/clock';
import { systemRandom } from '#hal/linux/random';
import { memoryLog } from '#hal/memory/log';
import { dispatcher } from '#hal/remote/dispatcher';
import { type SocketClient, socketClient } from '#hal/remote/socket-client';
import { type SocketServer, serveSocket } from '#hal/remote/socket-server';
import type { Posture } from '#protos/gen/types';
import { newBoard } from './board.ts';
import { feedOf } from './feed.ts';
import { type PageServer, servePage } from './server.ts';
import { samples } from './testing.ts';

const executablePath = '/usr/bin/chromium';
const why = existsSync(executablePath) ? '' : ` (skipped: ${executablePath} is not installed)`;
const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const launchArguments = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

describe.skipIf(why !== '')(`the page in Chromium${why}`, () => {
  const clock = linuxClock();
  const log = memoryLog();
  let browser: Browser;
  let directory: string;
  let mind: SocketServer;
  let client: SocketClient<typeof feedMethods>;
  let server: PageServer;
  let link: string;
  let complaints: string[];
  let ending: AbortController;
  let following: Promise<void>;
  let posture: Posture;
  let nextStep: string;
  let measured = 0;
  const changes = watchers();

  const measure = () => {
    measured += 1;
    posture = { ...posture, measuredMs: measured };
    return ok(posture);
  };
  const startMind = async () => {
    const door = dispatcher(feedMethods, {
      'device.status': async () =>
        ok({
          lifecycle: posture.lifecycle,
          level: posture.level,
          headline: posture.headline,
          nextStep,
          auditSize: 1,
          auditState: 'intact',
        }),
      'posture.read': async () => measure(),
      'posture.watch': async function* (_, signal) {
        while (!signal.aborted) {
          yield ok(posture);
          await changes.changed(signal);
        }
      },
    });
    mind = unwrap(await serveSocket(door, { path: join(directory, 'feed.sock'), log }));
  };
  const show = (next: Posture, step = 'read-posture') => {
    posture = next;
    nextStep = step;
    measure();
    changes.notify();
  };

  const open = async (options: BrowserContextOptions = {}): Promise<Page> => {
    const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
    const page = await context.newPage();
    page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
    page.on('pageerror', (error) => complaints.push(error.message));
    await page.goto(link);
    return page;
  };
  const headline = (page: Page, title: string) => page.locator('#headline', { hasText: new RegExp(`^${title}$`) }).waitFor();
  const live = (page: Page) => page.locator('#live [data-when="live"]').waitFor();

  /** WCAG 2.2 A and AA, and the best practices of axe. */
  const violations = async (page: Page): Promise<unknown> => {
    await page.evaluate(axeSource);
    return page.evaluate(
      `axe.run().then(({ violations }) => violations.map(({ id, nodes }) => ({ id, nodes: nodes.map(({ html, failureSummary }) => html + ' ' + failureSummary) })))`,
    );
  };

  beforeAll(async () => {
    browser = await chromium.launch({ executablePath, args: launchArguments });
  });
  afterAll(() => browser.close());

  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), 'enigm-page-'));
    complaints = [];
    posture = samples.reduced;
    nextStep = 'read-posture';
    await startMind();
    const board = newBoard(clock);
    client = socketClient(feedMethods, join(directory, 'feed.sock'));
    const feed = feedOf({ client, board, clock, log });
    server = unwrap(
      await servePage({
        port: 0,
        board,
        clock,
        log,
        random: systemRandom,
        renew: feed.renew,
        onLink: (url) => {
          link = url;
        },
      }),
    );
    ending = new AbortController();
    following = feed.follow(ending.signal);
    await expect.poll(() => board.view().code).toBe('reduced');
  });
  afterEach(async () => {
    for (const context of browser.contexts()) await context.close();
    ending.abort();
    await server.close();
    client.close();
    await following;
    await mind.close();
    rmSync(directory, { recursive: true });
    expect(complaints).toEqual([]);
  });

  test('shows the headline, and each finding with its age, what is at fault and what would change it', async () => {
    const page = await open();
    expect(new URL(page.url()).pathname).toBe('/');
    expect(await page.title()).toBe('Reduced · Trust Security Center');
    await headline(page, 'Reduced');
    const finding = page.locator('#group-administrator #finding-listening-sockets');
    for (const text of [
      'fails',
      'tcp/0.0.0.0:22',
      'udp/[::]:5353',
      english.findings['listening-sockets']?.why ?? '',
      'Stop the programs',
    ])
      await finding.getByText(text).first().waitFor();
    expect(await finding.locator('.age').textContent()).toMatch(/^measured \d+ s ago$/);
    expect(await page.locator('[id^="finding-"]').count()).toBe(findingKinds.length);
    const summary = page.locator('#summary-tpm');
    await summary.click();
    await page
      .locator('#details-tpm')
      .getByText(english.findings['tpm']?.why ?? '')
      .waitFor();
    for (const limit of english.limits) await page.locator('.limits').getByText(limit).waitFor();
  });

  test('changes by itself when the feed says something else, keeps focus and what is unfolded, and says it aloud', async () => {
    const page = await open();
    await live(page);
    await page.evaluate('globalThis.isSamePage = true');
    await page.locator('#summary-tpm').click();
    await page.locator('#summary-tpm').focus();
    show(samples.atRisk);
    await headline(page, 'At risk');
    expect(await page.title()).toMatch(/^At risk/);
    expect(await page.locator('#announcer').textContent()).toMatch(/^At risk\. /);
    expect(await page.locator('#announcer').getAttribute('role')).toBe('status');
    expect(await page.evaluate('globalThis.isSamePage')).toBe(true);
    expect(await page.evaluate('document.activeElement.id')).toBe('summary-tpm');
    expect(await page.locator('#details-tpm').getAttribute('open')).not.toBeNull();
    expect(await page.locator('.history li').allTextContents()).toHaveLength(3);
    show(samples.good, 'nothing');
    await headline(page, 'As expected');
    expect(await page.locator('#group-you').count()).toBe(0);
    expect(await page.locator('[id^="finding-"]').count()).toBe(findingKinds.length);
  });

  test('counts ages on while nothing happens', async () => {
    const page = await open();
    await live(page);
    const age = page.locator('#age-tpm');
    const before = await age.textContent();
    await expect.poll(() => age.textContent()).not.toBe(before);
  });

  test('raises an alarm only for a device out of service', async () => {
    const page = await open();
    await live(page);
    expect(await page.getByRole('alert').count()).toBe(0);
    show(samples.suspended, 'ask-administrator');
    await headline(page, 'Suspended');
    expect(await page.getByRole('alert').textContent()).toContain('until your administrator resumes it');
    show(samples.good, 'nothing');
    await headline(page, 'As expected');
    expect(await page.getByRole('alert').count()).toBe(0);
  });

  test('says that nothing is known while the mind is away, and finds it again by itself', async () => {
    const page = await open();
    await live(page);
    await mind.close();
    await headline(page, 'Not known');
    expect(await page.locator('#group-not-known [id^="finding-"]').count()).toBe(findingKinds.length);
    expect(await page.locator('.state-pass').count()).toBe(0);
    expect(await page.locator('#announcer').textContent()).toMatch(/^Not known\. /);
    await startMind();
    await headline(page, 'Reduced');
  });

  test('says that updates have stopped when its own program is gone', async () => {
    const page = await open();
    await live(page);
    await server.close();
    await page.locator('#live [data-when="lost"]').waitFor();
    expect(await page.locator('#announcer').textContent()).toContain('Connection lost');
    // The browser itself reports each connection that it tries in vain.
    complaints = complaints.filter((text) => !/^Failed to load resource: net::ERR_/.test(text));
  });

  const looks: readonly (readonly [string, BrowserContextOptions])[] = [
    ['in light colours', { colorScheme: 'light' }],
    ['in dark colours', { colorScheme: 'dark' }],
    ['at 200 % zoom', { viewport: { width: 640, height: 450 }, deviceScaleFactor: 2 }],
    ['on a narrow screen', { viewport: { width: 320, height: 640 } }],
    ['in forced colours', { forcedColors: 'active' }],
  ];
  test.each(looks)('breaks no rule of accessibility %s, in any state', async (_, options) => {
    const page = await open(options);
    await live(page);
    const { width = 1280 } = page.viewportSize() ?? {};
    const check = async (state: string) => {
      expect(await violations(page), state).toEqual([]);
      // WCAG 2.2 §1.4.10: no scrolling sideways.
      expect(await page.evaluate('document.documentElement.scrollWidth'), state).toBeLessThanOrEqual(width);
    };
    for (const [state, title] of [
      ['reduced', 'Reduced'],
      ['atRisk', 'At risk'],
      ['suspended', 'Suspended'],
      ['good', 'As expected'],
    ] as const) {
      show(samples[state]);
      await headline(page, title);
      await check(state);
    }
    await page.locator('summary').first().click();
    await check('unfolded');
    await mind.close();
    await headline(page, 'Not known');
    await check('down');
    await startMind();
  });

  test('can be used with the keyboard alone: skip link first, then the page in its order, with visible focus', async () => {
    const page = await open();
    await live(page);
    const focused = () =>
      page.evaluate<string>(
        'document.activeElement.id || document.activeElement.className || document.activeElement.getAttribute("href")',
      );
    await page.keyboard.press('Tab');
    expect(await focused()).toBe('skip');
    await expect.poll(async () => (await page.locator('.skip').boundingBox())?.y).toBeGreaterThanOrEqual(0);
    await page.keyboard.press('Enter');
    expect(await focused()).toBe('findings');
    await page.keyboard.press('Tab');
    expect(await focused()).toBe('summary-tpm');
    expect(await page.evaluate('getComputedStyle(document.activeElement).outlineStyle')).toBe('solid');
    await page.keyboard.press('Enter');
    expect(await page.locator('#details-tpm').getAttribute('open')).not.toBeNull();
    const order = [];
    for (let step = 0; step < findingKinds.length; step += 1) {
      await page.keyboard.press('Tab');
      order.push(await focused());
    }
    const held = await page.locator('#group-holds summary').evaluateAll((summaries) => summaries.map(({ id }) => id));
    expect(order.slice(0, held.length)).toEqual([...held.slice(1), '/posture.json']);
    await page.keyboard.press('Shift+Tab');
    expect(await focused()).not.toBe('');
  });

  test('has targets of at least 24 by 24 pixels (WCAG 2.2 §2.5.8)', async () => {
    const page = await open({ viewport: { width: 320, height: 640 } });
    for (const target of await page.locator('summary, .next-list a').all()) {
      const box = await target.boundingBox();
      expect(Math.min(box?.width ?? 0, box?.height ?? 0)).toBeGreaterThanOrEqual(24);
    }
  });

  test('is complete without scripts, and renews itself', async () => {
    const page = await open({ javaScriptEnabled: false });
    await headline(page, 'Reduced');
    expect(await page.locator('[id^="finding-"]').count()).toBe(findingKinds.length);
    expect(await page.locator('#live').innerText()).toBe('Renewed every 30 seconds');
    expect(await page.locator('meta[http-equiv="refresh"]').getAttribute('content')).toBe('30');
    await page.locator('#summary-tpm').click();
    await page
      .locator('#details-tpm')
      .getByText(english.findings['tpm']?.why ?? '')
      .waitFor();
    show(samples.good, 'nothing');
    const titleAfterReload = async () => {
      await page.reload();
      return page.title();
    };
    await expect.poll(titleAfterReload).toMatch(/^As expected/);
  });

  test('loses nothing in forced colours: every state has its word and a shape in the colour of the text', async () => {
    const page = await open();
    show(samples.atRisk);
    await headline(page, 'At risk');
    const words = () =>
      page
        .locator('main')
        .evaluate((main: { innerText: string }) => main.innerText.replaceAll(/measured \d+ s ago|\d+ s ago/g, ''));
    const before = await words();
    await page.emulateMedia({ forcedColors: 'active' });
    expect(await words()).toBe(before);
    const states = await page.evaluate<{ word: string; shape: string; isSeen: boolean }[]>(`
      [...document.querySelectorAll('.state')].map((state) => ({
        word: state.textContent.trim(),
        shape: state.querySelector('svg').innerHTML,
        isSeen: getComputedStyle(state.querySelector('svg')).stroke === getComputedStyle(state.parentElement).color,
      }))`);
    expect(states.every(({ word, isSeen }) => word !== '' && isSeen)).toBe(true);
    const shapes = new Map(states.map(({ word, shape }) => [word, shape]));
    expect([...shapes.keys()].sort()).toEqual(['fails', 'holds', 'not known', 'too old']);
    expect(new Set(shapes.values()).size).toBe(4);
    expect(await page.evaluate(`getComputedStyle(document.querySelector('.step[aria-current]')).borderTopWidth`)).toBe('2px');
  });

  test('turns around for languages that run from right to left', async () => {
    const page = await open();
    const centre = async (selector: string) => {
      const box = await page.locator(selector).first().boundingBox();
      return (box?.x ?? 0) + (box?.width ?? 0) / 2;
    };
    expect(await centre('.badge')).toBeLessThan(await centre('.meter'));
    await page.evaluate('document.documentElement.dir = "rtl"');
    expect(await centre('.badge')).toBeGreaterThan(await centre('.meter'));
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(1280);
  });

  test('opens a link once: the second time it tells how to get the present one, and nothing else', async () => {
    const used = link;
    await open();
    const page = await (await browser.newContext()).newPage();
    expect((await page.goto(used))?.status()).toBe(403);
    await headline(page, 'This page opens with a link');
    expect(await violations(page)).toEqual([]);
    expect(await page.content()).not.toContain('Reduced');
  });
});
