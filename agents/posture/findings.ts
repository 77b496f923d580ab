/**
 * The findings of the Trust Security Center, each with the level that needs it and how it is judged. The shape is
 * fwupd's Host Security ID attributes; the words for people are in `english.ts`.
 *
 * `unknown` is never `pass`: a probe that could not read says so. What is too old is `stale`, whatever it said.
 */
import type { Finding, FindingResult, Level } from '#protos/gen/types';
import type { Observations, Observed } from './observations.ts';

export interface FindingKind {
  readonly id: string;
  /** The level that cannot be reached without it. */
  readonly level: Exclude<Level, 'none'>;
  readonly maxAgeMs: number;
  judge(observations: Observations): Judged | undefined;
}

/** Undefined where the probe gave nothing: `unknown`. */
interface Judged {
  readonly observed: Observed<unknown>;
  readonly result: Exclude<FindingResult, 'unknown' | 'stale'>;
  /** What was read, in a few characters. */
  readonly value?: string;
  /** The items at fault. */
  readonly items?: readonly string[];
}

const minuteMs = 60_000;
const pass = 'pass' as const;
const fail = 'fail' as const;
const passIf = (condition: boolean) => (condition ? pass : fail);

/** One platform fact: absent facts stay unknown. */
const platform = <K extends keyof NonNullable<Observations['platform']>['value']>(
  key: K,
  judge: (value: NonNullable<NonNullable<Observations['platform']>['value'][K]>) => Omit<Judged, 'observed'>,
) => ({
  maxAgeMs: 5 * minuteMs,
  judge: ({ platform: observed }: Observations): Judged | undefined => {
    const value = observed?.value[key];
    return observed === undefined || value === undefined || value === null ? undefined : { observed, ...judge(value) };
  },
});

/** A whole observation. */
const whole = <K extends keyof Observations>(
  key: K,
  maxAgeMs: number,
  judge: (value: NonNullable<Observations[K]>['value']) => Omit<Judged, 'observed'>,
) => ({
  maxAgeMs,
  judge: (observations: Observations): Judged | undefined => {
    const observed = observations[key];
    return observed === undefined ? undefined : { observed, ...judge(observed.value as NonNullable<Observations[K]>['value']) };
  },
});

/** The class of a TPM that no verifier's root has vouched for. */
export const notVouchedFor = 'not-vouched-for';

/** How far the system clock is from signed time, in seconds. */
const wallClock = (offsetSeconds: number): string =>
  offsetSeconds === 0 ? 'wall-clock-agrees' : `wall-clock-${Math.abs(offsetSeconds)}s-${offsetSeconds > 0 ? 'ahead' : 'behind'}`;

/** Security modules that confine programs which are not root. */
const wantedModules = ['landlock', 'yama'];

/** States of a slot whose whole content was read back and is its release; a trial was, before it was armed. */
const provedStates: readonly string[] = ['trial', 'committed', 'superseded'];

export const findingKinds: readonly FindingKind[] = [
  {
    id: 'tpm',
    level: 'basic',
    ...whole('tpm', 60 * minuteMs, ({ tpmClass }) => ({ result: pass, value: tpmClass ?? notVouchedFor })),
  },
  {
    id: 'boot-log',
    level: 'basic',
    ...whole('boot', 60 * minuteMs, ({ code }) => ({ result: passIf(code === undefined), value: code ?? 'replays' })),
  },
  {
    id: 'installed-release',
    level: 'basic',
    ...whole('release', 5 * minuteMs, ({ state, isAsInstalled }) => ({
      result: passIf(isAsInstalled && provedStates.includes(state)),
      value: isAsInstalled ? state : 'another-image',
    })),
  },
  {
    id: 'attestation',
    level: 'basic',
    ...whole('attestation', 60 * minuteMs, ({ status, code }) => ({
      result: passIf(status === 'affirming'),
      value: code ?? status,
    })),
  },
  {
    id: 'clock',
    level: 'basic',
    ...whole('time', 5 * minuteMs, ({ isKnown, offsetSeconds }) => ({
      result: passIf(isKnown),
      value: isKnown ? wallClock(offsetSeconds) : 'no-signed-time',
    })),
  },
  {
    id: 'audit-log',
    level: 'basic',
    // A degraded log takes nothing away but destructive administration (SR-14): it has a finding of its own.
    ...whole('audit', 5 * minuteMs, ({ state }) => ({ result: passIf(state !== 'tampered'), value: state })),
  },
  {
    id: 'programs',
    level: 'basic',
    ...whole('programs', minuteMs, (programs) => ({
      result: passIf(programs.every(({ isRunning }) => isRunning)),
      items: programs.filter(({ isRunning }) => !isRunning).map(({ name }) => name),
    })),
  },
  {
    id: 'lifecycle',
    level: 'basic',
    ...whole('lifecycle', 5 * minuteMs, (state) => ({ result: passIf(state === 'active'), value: state })),
  },
  {
    id: 'release-floor',
    level: 'device',
    ...whole('floor', 5 * minuteMs, ({ epoch, code }) => ({
      result: passIf(code === undefined),
      value: code ?? `epoch-${epoch ?? 0}`,
    })),
  },
  {
    id: 'secure-boot',
    level: 'device',
    ...whole('boot', 60 * minuteMs, ({ isSecureBoot }) => ({
      result: passIf(isSecureBoot === true),
      value: isSecureBoot === undefined ? 'not-measured' : isSecureBoot ? 'on' : 'off',
    })),
  },
  {
    id: 'release-log',
    level: 'device',
    ...whole('release', 5 * minuteMs, ({ log }) =>
      log === undefined
        ? { result: 'not-applicable', value: 'not-asked' }
        : { result: passIf(log === ''), value: log === '' ? 'proved' : log },
    ),
  },
  {
    id: 'hardware-tpm',
    level: 'device',
    ...whole('tpm', 60 * minuteMs, ({ tpmClass }) => ({
      result: passIf(tpmClass === 'discrete' || tpmClass === 'firmware'),
      value: tpmClass ?? notVouchedFor,
    })),
  },
  { id: 'verified-root', level: 'device', ...platform('isRootVerified', (isVerified) => ({ result: passIf(isVerified) })) },
  {
    id: 'kernel-lockdown',
    level: 'device',
    ...platform('kernelLockdown', (mode) => ({
      result: passIf(mode === 'integrity' || mode === 'confidentiality'),
      value: mode,
    })),
  },
  { id: 'module-lock', level: 'device', ...platform('areModulesLocked', (areLocked) => ({ result: passIf(areLocked) })) },
  {
    id: 'security-modules',
    level: 'device',
    ...platform('securityModules', ({ items }) => {
      const missing = wantedModules.filter((name) => !items.includes(name));
      return { result: passIf(missing.length === 0), items: missing };
    }),
  },
  {
    id: 'kernel-taint',
    level: 'device',
    ...platform('kernelTaint', (taint) => ({ result: passIf(taint === 0), value: String(taint) })),
  },
  {
    id: 'listening-sockets',
    level: 'strong',
    ...platform('listeningSockets', ({ items }) => {
      const exposed = items
        .filter(({ address }) => !isLoopback(address))
        .map(({ protocol, address, port }) => `${protocol}/${address.includes(':') ? `[${address}]` : address}:${port}`);
      return { result: passIf(exposed.length === 0), value: `${exposed.length}-reachable`, items: exposed.slice(0, 32) };
    }),
  },
  {
    id: 'ptrace-scope',
    level: 'strong',
    ...platform('ptraceScope', (scope) => ({ result: passIf(scope >= 1), value: String(scope) })),
  },
  { id: 'core-dumps', level: 'strong', ...platform('areCoreDumpsOff', (areOff) => ({ result: passIf(areOff) })) },
  { id: 'swap', level: 'strong', ...platform('isSwapOff', (isOff) => ({ result: passIf(isOff) })) },
  {
    id: 'audit-complete',
    level: 'strong',
    ...whole('audit', 5 * minuteMs, ({ state }) => ({ result: passIf(state === 'intact'), value: state })),
  },
  {
    id: 'link-key',
    level: 'strong',
    ...whole('link', 5 * minuteMs, ({ key, code }) => ({
      result: key === 'none-shown' ? ('not-applicable' as const) : passIf(key === 'in-tpm'),
      value: key,
      items: code === undefined ? [] : [code],
    })),
  },
  {
    id: 'inference-engine',
    level: 'strong',
    ...whole('inference', 60 * minuteMs, ({ engine, category, opinion }) => ({
      result: passIf(engine !== undefined && opinion !== 'differs'),
      value: engine ?? 'none',
      items: [
        ...(category === undefined ? [] : [`risk:${category}`]),
        ...(opinion === undefined ? [] : [`second-opinion:${opinion}`]),
      ],
    })),
  },
];

const isLoopback = (address: string): boolean => address.startsWith('127.') || address === '::1';

/** Every finding, whatever could be read: ages count from when its source was measured. */
export const assess = (observations: Observations, nowBootMs: number): readonly Finding[] =>
  findingKinds.map(({ id, level, maxAgeMs, judge }): Finding => {
    const judged = judge(observations);
    if (judged === undefined) return { id, level, result: 'unknown', ageMs: 0, items: [] };
    const ageMs = Math.max(0, Math.floor(nowBootMs - judged.observed.measuredBootMs));
    const { result, value, items = [] } = judged;
    return { id, level, result: ageMs > maxAgeMs ? 'stale' : result, ageMs, items, ...(value === undefined ? {} : { value }) };
  });
