/** For tests: a device on which everything is as it should be, and any device there could be. */
import fc from 'fast-check';
import type { Observations, Observed } from './observations.ts';

const at = <T>(value: T, measuredBootMs: number): Observed<T> => ({ value, measuredBootMs });

/** Every finding passes, on a TPM that a maker vouched for. */
export const perfect = (measuredBootMs: number): Required<Observations> => ({
  platform: at(
    {
      kernelLockdown: 'integrity',
      kernelTaint: 0,
      areModulesLocked: true,
      securityModules: { items: ['landlock', 'yama'] },
      isRootVerified: true,
      listeningSockets: { items: [{ protocol: 'tcp', address: '127.0.0.1', port: 8080 }] },
      ptraceScope: 1,
      areCoreDumpsOff: true,
      isSwapOff: true,
    },
    measuredBootMs,
  ),
  tpm: at({ tpmClass: 'discrete' }, measuredBootMs),
  boot: at({ isSecureBoot: true }, measuredBootMs),
  release: at({ state: 'committed', isAsInstalled: true, log: '' }, measuredBootMs),
  floor: at({ epoch: 0 }, measuredBootMs),
  attestation: at({ status: 'affirming' }, measuredBootMs),
  time: at({ isKnown: true, offsetSeconds: 0 }, measuredBootMs),
  audit: at({ state: 'intact' }, measuredBootMs),
  programs: at([{ name: 'hands', isRunning: true }], measuredBootMs),
  link: at({ key: 'in-tpm' }, measuredBootMs),
  inference: at({ engine: 'cpu' }, measuredBootMs),
  lifecycle: at('active', measuredBootMs),
});

/** Long enough for everything to have aged. */
export const nowBootMs = 4 * 3_600_000;

/** Nearly always the first, so that a whole device of good values comes often enough to reach every level. */
const mostly = <T>(good: T, ...others: readonly [T, ...T[]]): fc.Arbitrary<T> =>
  fc.oneof({ weight: 24, arbitrary: fc.constant(good) }, { weight: 1, arbitrary: fc.constantFrom(...others) });

const observed = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<Observed<T>> =>
  fc.record({
    value,
    measuredBootMs: fc.oneof({ weight: 12, arbitrary: fc.constant(nowBootMs) }, { weight: 1, arbitrary: fc.nat(nowBootMs) }),
  });

/** A record of which any key may be missing, seldom. */
const partly = <T extends object>(fields: { readonly [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<Partial<T>> =>
  fc
    .tuple(fc.record(fields as { [K in keyof T]: fc.Arbitrary<T[K]> }), fc.array(fc.nat(60), { minLength: 10, maxLength: 10 }))
    .map(([whole, dice]) => Object.fromEntries(Object.entries(whole).filter((_, at) => dice[at] !== 0)) as Partial<T>);

type Good = Required<Observations>;
type Platform = Required<Good['platform']['value']>;

const anyPlatform = partly<Platform>({
  kernelLockdown: mostly('integrity', 'confidentiality', 'none'),
  kernelTaint: mostly(0, 1, 4096),
  areModulesLocked: mostly(true, false),
  securityModules: mostly({ items: ['landlock', 'yama'] }, { items: ['yama'] }, { items: [] }),
  isRootVerified: mostly(true, false),
  listeningSockets: mostly({ items: [] }, { items: [{ protocol: 'tcp', address: '0.0.0.0', port: 22 }] }),
  ptraceScope: mostly(1, 0, 2),
  areCoreDumpsOff: mostly(true, false),
  isSwapOff: mostly(true, false),
});

/** What could be read of any device: anything may be missing, bad or old. */
export const anyObservations: fc.Arbitrary<Observations> = partly<Good>({
  platform: observed(anyPlatform as fc.Arbitrary<Platform>),
  tpm: observed(mostly<Good['tpm']['value']>({ tpmClass: 'discrete' }, { tpmClass: 'software' }, { tpmClass: undefined })),
  boot: observed(
    mostly<Good['boot']['value']>(
      { isSecureBoot: true },
      { isSecureBoot: false },
      { isSecureBoot: undefined },
      { code: 'attestation/log-replay', isSecureBoot: undefined },
    ),
  ),
  release: observed(
    mostly<Good['release']['value']>(
      { state: 'committed', isAsInstalled: true, log: '' },
      { state: 'committed', isAsInstalled: true },
      { state: 'committed', isAsInstalled: true, log: 'integrity/log-proof-missing' },
      { state: 'committed', isAsInstalled: false, log: '' },
      { state: 'failed', isAsInstalled: true, log: '' },
    ),
  ),
  floor: observed(mostly<Good['floor']['value']>({ epoch: 0 }, { code: 'integrity/tpm-cleared' }, { epoch: 64 })),
  attestation: observed(
    mostly<Good['attestation']['value']>(
      { status: 'affirming' },
      { status: 'warning' },
      { status: 'none', code: 'attestation/stale' },
    ),
  ),
  time: observed(
    mostly({ isKnown: true, offsetSeconds: 0 }, { isKnown: true, offsetSeconds: -3_600 }, { isKnown: false, offsetSeconds: 0 }),
  ),
  audit: observed(mostly<Good['audit']['value']>({ state: 'intact' }, { state: 'degraded' }, { state: 'tampered' })),
  programs: observed(mostly([{ name: 'link', isRunning: true }], [], [{ name: 'link', isRunning: false }])),
  link: observed(mostly<Good['link']['value']>({ key: 'in-tpm' }, { key: 'none-shown' }, { key: 'software' })),
  inference: observed(mostly<Good['inference']['value']>({ engine: 'cpu' }, { engine: undefined })),
  lifecycle: observed(mostly('active', 'suspended', 'unenrolled')),
});
