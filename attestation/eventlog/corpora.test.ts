/** Real logs of real machines: what the INDEX and upstream recorded about them, and what our rules make of each one. */
import { describe, expect, test } from 'vitest';
import { toBase64, toHex } from '#hal/core/bytes';
import { unwrap } from '#hal/core/result';
import { hasCorpora } from '../corpora.fixture.ts';
import type { Bank } from './algorithms.ts';
import { corpusBytes, corpusJson, indexRows, windowsDump } from './corpora.fixture.ts';
import { describeEventLog } from './describe.ts';
import { eventTypeName } from './events.ts';
import { parseEventLog } from './parse.ts';
import { checkSemantics } from './semantics.ts';

interface RecordedLog {
  readonly events: number;
  readonly algs: readonly string[];
  readonly pcrs: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

describe.skipIf(!hasCorpora)('with the corpora', () => {
  const rows = hasCorpora ? indexRows() : [];
  const recorded = hasCorpora ? (corpusJson('pcrs.json') as Readonly<Record<string, RecordedLog>>) : {};

  describe('every log replays to the registers that upstream recorded from a TPM', () => {
    test.each(Object.entries(recorded))('%s', (name, { events, algs, pcrs }) => {
      const described = unwrap(describeEventLog(corpusBytes(name)));
      expect(described.events).toBe(events);
      expect(described.algorithms).toEqual(algs);
      for (const [bank, values] of Object.entries(pcrs)) expect(described.pcrs[bank]).toEqual(values);
    });

    test('windows_gcp_shielded_vm.json', () => {
      const { log, pcrs } = windowsDump();
      const replayed = unwrap(describeEventLog(log)).pcrs['sha1'] ?? {};
      const untouched = (pcr: number) => (pcr >= 17 && pcr <= 22 ? 'ff' : '00').repeat(20);
      expect(pcrs.size).toBe(24);
      for (const [pcr, value] of pcrs) expect(replayed[pcr] ?? untouched(pcr), `register ${pcr}`).toBe(value);
    });
  });

  describe('every fact of the INDEX holds', () => {
    test('all its logs are looked at', () => {
      expect(rows.filter(({ name }) => name.endsWith('.bin'))).toHaveLength(14);
    });

    test.each(rows.filter(({ facts }) => /\d+ events/.test(facts)))('$name', ({ name, facts }) => {
      const log = unwrap(parseEventLog(corpusBytes(name)));
      const { pcrs } = unwrap(describeEventLog(corpusBytes(name)));
      expect(`${log.events.length} events`).toBe(/\d+ events/.exec(facts)?.[0]);
      expect(`banks ${log.algorithms.map(({ name }) => name).join('/')}`).toBe(/banks [a-z0-9/]+/.exec(facts)?.[0]);
      const parsedTo = /parsed to byte (\d+)/.exec(facts)?.[1];
      expect(log.parsedBytes).toBe(parsedTo === undefined ? corpusBytes(name).length : Number(parsedTo));
      const prefixes = [...facts.matchAll(/(sha\d+):(\d+)=([0-9a-f]{16})/g)];
      for (const [, bank = '', pcr = '', prefix = ''] of prefixes) expect(pcrs[bank]?.[pcr]?.slice(0, 16)).toBe(prefix);
      const listed = prefixes.map(([, bank, pcr]) => `${bank}:${pcr}`);
      if (facts.includes('computed here'))
        expect(Object.keys(pcrs[log.algorithms.at(-1)?.name ?? ''] ?? {})).toEqual(listed.map((entry) => entry.split(':')[1]));
    });

    test('keylime-binary_bios_measurements-bogus.bin is refused', () => {
      expect(parseEventLog(corpusBytes('keylime-binary_bios_measurements-bogus.bin'))).toMatchObject({
        fault: { reason: 'log-malformed', detail: 'register 1969712994 at 0' },
      });
    });
  });

  describe('CCEL logs read as trustee reads them', () => {
    interface TrusteeEvent {
      readonly index: number;
      readonly type_name: string;
      readonly event: string;
      readonly digests: readonly { readonly alg: string; readonly digest: string }[];
    }
    const trusteeNames: Readonly<Record<string, string>> = { sha384: 'SHA-384' };

    test.each(['CCEL_data_ovmf', 'CCEL_data_grub'])('%s', (name) => {
      const { algorithms, events } = unwrap(parseEventLog(corpusBytes(`${name}.bin`)));
      const expected = corpusJson(`${name}_out.json`) as { readonly uefi_event_logs: readonly TrusteeEvent[] };
      expect(
        events.slice(1).map(({ pcr, type, data, digests }) => ({
          index: pcr,
          type_name: eventTypeName(type),
          event: toBase64(data),
          digests: digests.map((digest, at) => ({ alg: trusteeNames[algorithms[at]?.name ?? ''], digest: toHex(digest) })),
        })),
      ).toEqual(expected.uefi_event_logs.map(({ index, type_name, event, digests }) => ({ index, type_name, event, digests })));
    });
  });

  describe('what the rules make of each log', () => {
    const verdict = (bytes: Uint8Array, banks?: readonly Bank[]): string => {
      const judged = checkSemantics(unwrap(parseEventLog(bytes)), banks && { banks });
      return judged.ok ? `Secure Boot ${judged.value.secureBoot ? 'on' : 'off'}` : (judged.fault.detail ?? '');
    };

    test.each([
      ['rhel8-uefi.bin', 'Secure Boot on'],
      ['ubuntu-2104-no-secure-boot.bin', 'Secure Boot off'],
      ['ubuntu-2404-amd-sevsnp.bin', 'Secure Boot off'],
      // Its S-CRTM measured four zeros (FIT type 0x2D), which look like a separator.
      ['glinux-alex.bin', 'Secure Boot off'],
      // Its shim logged one byte more than it measured.
      ['debian-10.bin', 'Secure Boot on'],
      ['cos-85-amd-sev.bin', 'Secure Boot on'],
      // Its BootOrder is 0001, 0000: the error value of a separator.
      ['eventlogwithsp800155.bin', 'Secure Boot on'],
      // Its firmware has no variable SecureBoot, and measured it empty.
      ['crypto_agile_eventlog.bin', 'Secure Boot off'],
      ['keylime-binary_bios_measurements.bin', 'Secure Boot off'],
      // Nothing in it contradicts itself. What it lacks, two events of register 5, shows against a quote alone.
      ['ebs_event_missing_eventlog.bin', 'Secure Boot off'],
    ])('%s contradicts nothing: %s', (name, expected) => {
      expect(verdict(corpusBytes(name))).toBe(expected);
    });

    test('one bank is judged as all are', () => {
      expect(verdict(corpusBytes('rhel8-uefi.bin'), ['sha256'])).toBe('Secure Boot on');
    });

    test('short_no_action_eventlog.bin is a startup locality and no boot', () => {
      expect(verdict(corpusBytes('short_no_action_eventlog.bin'))).toBe('register 0 has no separator');
    });

    test('windows_gcp_shielded_vm.json is of a firmware that separated register 7 only: its TPM holds zeros in 1, 2, 3 and 6', () => {
      const { log, pcrs } = windowsDump();
      expect(verdict(log)).toBe('register 0 has no separator');
      for (const pcr of [1, 2, 3, 6]) expect(pcrs.get(pcr)).toBe('00'.repeat(20));
    });

    test.each([
      ['CCEL_data_ovmf.bin', 'EV_SEPARATOR at 1662, register 1: a second separator'],
      ['CCEL_data_grub.bin', 'EV_SEPARATOR at 8254, register 1: a second separator'],
    ])('%s is not for these rules: register 1 stands for the PCRs 1 and 7, each with a separator', (name, expected) => {
      expect(verdict(corpusBytes(name))).toBe(expected);
    });
  });
});
