/** Prologue 3: the device restarts; what it starts is measured into the TPM and written down in a log that two readers agree on. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { faultOf } from './outcome.ts';
import { refused, type Scenario, seen } from './scenario.ts';

const oracle = '/usr/bin/tpm2_eventlog';

interface DescribedLog {
  readonly events: number;
  readonly pcrs: { readonly sha256?: Readonly<Record<string, string>> };
}

export const boot: Scenario = {
  step: 'boot',
  title: 'the device boots: firmware, configuration and programs are measured, each event in the log',
  async run({ device }) {
    const earlier = device.bootId();
    await device.powerOff();
    await device.powerOn();
    await device.answers();
    const described = await device.enigmctl('attest', 'eventlog', device.bootLogPath);
    const fault = faultOf(described);
    if (fault !== undefined) return refused(fault);
    const log = described.json as unknown as DescribedLog;
    const registers = log.pcrs.sha256 ?? {};
    return seen({
      events: log.events,
      registers: Object.keys(registers).length,
      programs: registers['11'] ?? '',
      isNewBoot: device.bootId() !== earlier,
      oracle: oracleAgrees(device.bootLogPath, registers),
    });
  },
};

/** `tpm2_eventlog` prints its own replay as YAML, `  11 : 0x…` under `sha256`. */
const oracleAgrees = (path: string, registers: Readonly<Record<string, string>>): string => {
  if (!existsSync(oracle)) return 'tpm2_eventlog is not installed';
  const { stdout } = spawnSync(oracle, [path], { encoding: 'utf8' });
  const replayed = stdout.slice(stdout.lastIndexOf('pcrs:'));
  const agrees = Object.entries(registers).every(([pcr, value]) =>
    new RegExp(`^\\s+${pcr}\\s*:\\s*0x${value}$`, 'mi').test(replayed),
  );
  return agrees ? 'tpm2_eventlog agrees' : 'tpm2_eventlog DISAGREES';
};
