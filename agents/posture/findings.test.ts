import { describe, expect, test } from 'vitest';
import type { TpmClass } from '#attestation/result';
import type { Finding } from '#protos/gen/types';
import { assess, findingKinds } from './findings.ts';
import { levelOf, levels } from './level.ts';
import { nowBootMs, perfect } from './observations.fixture.ts';
import type { Observations } from './observations.ts';
import { postureOf } from './posture.ts';

const findings = (observations: Observations, atBootMs = nowBootMs) => assess(observations, atBootMs);
const one = (id: string, observations: Observations): Finding | undefined =>
  findings(observations).find((finding) => finding.id === id);
const level = (observations: Observations): string => postureOf(observations, 'active', nowBootMs, 0).level;
const good = perfect(nowBootMs);
const withTpm = (tpmClass: TpmClass | undefined): Observations => ({
  ...good,
  tpm: { value: { tpmClass }, measuredBootMs: nowBootMs },
});
const withAudit = (state: 'intact' | 'degraded' | 'tampered'): Observations => ({
  ...good,
  audit: { value: { state }, measuredBootMs: nowBootMs },
});
const withPlatform = (changed: Partial<(typeof good)['platform']['value']>): Observations => ({
  ...good,
  platform: { value: { ...good.platform.value, ...changed }, measuredBootMs: nowBootMs },
});

describe('the findings', () => {
  test('are at least the twelve that the mission names, each with an id of its own', () => {
    expect(findingKinds.length).toBeGreaterThanOrEqual(12);
    expect(new Set(findingKinds.map(({ id }) => id)).size).toBe(findingKinds.length);
    expect(new Set(findingKinds.map((kind) => kind.level))).toEqual(new Set(['basic', 'device', 'strong']));
  });

  test('all pass on a device on which everything is as it should be', () => {
    expect(findings(good).filter(({ result }) => result !== 'pass')).toEqual([]);
    expect(level(good)).toBe('strong');
    expect(postureOf(good, 'active', nowBootMs, 0).headline).toBe('as-expected');
  });

  test('are all unknown, with no level, where nothing could be read', () => {
    expect(new Set(findings({}).map(({ result }) => result))).toEqual(new Set(['unknown']));
    expect(level({})).toBe('none');
  });

  test.each(findingKinds)('$id is good until its age is reached and stale one millisecond after', ({ id, maxAgeMs }) => {
    const aged = (ageMs: number) => findings(perfect(nowBootMs - ageMs)).find((finding) => finding.id === id);
    expect(aged(maxAgeMs)).toMatchObject({ result: 'pass', ageMs: maxAgeMs });
    expect(aged(maxAgeMs + 1)).toMatchObject({ result: 'stale', ageMs: maxAgeMs + 1 });
  });

  test.each<[string, Observations, string]>([
    ['kernel-lockdown', withPlatform({ kernelLockdown: 'none' }), 'none'],
    ['kernel-taint', withPlatform({ kernelTaint: 4096 }), '4096'],
    ['ptrace-scope', withPlatform({ ptraceScope: 0 }), '0'],
    ['module-lock', withPlatform({ areModulesLocked: false }), ''],
    ['core-dumps', withPlatform({ areCoreDumpsOff: false }), ''],
    ['swap', withPlatform({ isSwapOff: false }), ''],
    ['verified-root', withPlatform({ isRootVerified: false }), ''],
    ['secure-boot', { ...good, boot: { value: { isSecureBoot: false }, measuredBootMs: nowBootMs } }, 'off'],
    ['secure-boot', { ...good, boot: { value: { isSecureBoot: undefined }, measuredBootMs: nowBootMs } }, 'not-measured'],
    [
      'link-key',
      { ...good, link: { value: { key: 'software', code: 'unavailable/tpm-failed' }, measuredBootMs: nowBootMs } },
      'software',
    ],
    ['inference-engine', { ...good, inference: { value: { engine: undefined }, measuredBootMs: nowBootMs } }, 'none'],
    [
      'inference-engine',
      { ...good, inference: { value: { engine: 'cpu', opinion: 'differs' }, measuredBootMs: nowBootMs } },
      'cpu',
    ],
    ['lifecycle', { ...good, lifecycle: { value: 'suspended', measuredBootMs: nowBootMs } }, 'suspended'],
    ['clock', { ...good, time: { value: { isKnown: false, offsetSeconds: 0 }, measuredBootMs: nowBootMs } }, 'no-signed-time'],
    [
      'release-log',
      { ...good, release: { ...good.release, value: { ...good.release.value, log: 'integrity/witnesses-missing' } } },
      'integrity/witnesses-missing',
    ],
  ])('%s fails when it is not as it should be, and says what was read', (id, observations, value) => {
    expect(one(id, observations)).toMatchObject({ result: 'fail', ...(value === '' ? {} : { value }) });
  });

  test('ask no log of a release that came from a factory, which takes no level away', () => {
    const { log: _, ...value } = good.release.value;
    const fromFactory = { ...good, release: { ...good.release, value } };
    expect(one('release-log', fromFactory)).toMatchObject({ result: 'not-applicable', value: 'not-asked' });
    expect(level(fromFactory)).toBe('strong');
  });

  test('name what is at fault: missing modules, sockets that can be reached, programs that stand still', () => {
    expect(one('security-modules', withPlatform({ securityModules: { items: ['yama', 'selinux'] } }))?.items).toEqual([
      'landlock',
    ]);
    const sockets = [
      { protocol: 'tcp', address: '0.0.0.0', port: 22 },
      { protocol: 'tcp', address: '::', port: 80 },
      { protocol: 'udp', address: '127.0.0.53', port: 53 },
      { protocol: 'tcp', address: '::1', port: 631 },
    ];
    expect(one('listening-sockets', withPlatform({ listeningSockets: { items: sockets } }))).toMatchObject({
      result: 'fail',
      value: '2-reachable',
      items: ['tcp/0.0.0.0:22', 'tcp/[::]:80'],
    });
    const programs = [
      { name: 'hands', isRunning: true },
      { name: 'link', isRunning: false },
    ];
    expect(one('programs', { ...good, programs: { value: programs, measuredBootMs: nowBootMs } })?.items).toEqual(['link']);
  });
});

describe('the level', () => {
  test.each<[TpmClass | undefined, string]>([
    ['discrete', 'strong'],
    ['firmware', 'strong'],
    ['virtual', 'basic'],
    ['software', 'basic'],
    [undefined, 'none'],
  ])('is never above what a %s TPM can carry, were every finding fine (SR-23)', (tpmClass, reached) => {
    const passed = findings(good);
    expect(levelOf(passed, tpmClass)).toBe(reached);
    expect(levels.indexOf(level(withTpm(tpmClass)) as (typeof levels)[number])).toBeLessThanOrEqual(
      levels.indexOf(reached as 'none'),
    );
  });

  test('stays when the audit log is degraded, and falls when it was tampered with (SR-14)', () => {
    expect(level(withAudit('intact'))).toBe('strong');
    expect(level(withAudit('degraded'))).toBe('device');
    expect(level(withAudit('tampered'))).toBe('none');
    const software = { ...withAudit('degraded'), tpm: withTpm('software').tpm } as Observations;
    expect(level(software)).toBe('basic');
  });

  test('needs every finding of the levels below as well', () => {
    for (const { id, level: needed } of findingKinds)
      for (const result of ['fail', 'unknown', 'stale'] as const) {
        const changed = findings(good).map((finding) => (finding.id === id ? { ...finding, result } : finding));
        expect(levels.indexOf(levelOf(changed, 'discrete')), `${id} ${result}`).toBe(levels.indexOf(needed) - 1);
      }
  });

  test('counts what does not apply to a device as fine', () => {
    const changed = findings(good).map((finding) => ({ ...finding, result: 'not-applicable' as const }));
    expect(levelOf(changed, 'discrete')).toBe('strong');
  });

  test('is none where there is no finding at all', () => {
    expect(levelOf([], 'discrete')).toBe('none');
  });
});
