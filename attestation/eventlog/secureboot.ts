/**
 * Register 7: which keys decide what may boot, and whether they did.
 *
 * An attacker who owns the running system may extend the register further and rewrite every type in the log, so as to show
 * a second, better configuration after hiding the first. Therefore nothing in this register may be skipped: each event is
 * the separator, a variable of the policy, an authority that was used, or the one known action.
 * Source: PFP 1.05 §3.3.4.8; go-attestation, docs/event-log-disclosure.md.
 */
import { globalVendor } from '#hal/core/guid';
import { ok, type Result } from '#hal/core/result';
import { contradiction } from './contradiction.ts';
import { eventTypes } from './events.ts';
import type { EventLog, LogEvent } from './parse.ts';
import { decodeVariable } from './variable.ts';

const secureBootPcr = 7;

/**
 * For a log whose digests have been held against its data, and whose separators stand as they must.
 *
 * @returns whether Secure Boot was on, where a variable without content is one that the firmware lacks (UEFI 2.10 §3.3);
 * undefined when it measured no variable `SecureBoot`; or `attestation/log-semantics`
 */
export const readSecureBoot = (log: EventLog): Result<boolean | undefined> => {
  const seen = new Set<string>();
  let isSeparated = false;
  let secureBoot: boolean | undefined;
  for (const event of log.events) {
    if (event.pcr !== secureBootPcr) continue;
    switch (event.type) {
      case eventTypes.EV_NO_ACTION.code:
        break;
      case eventTypes.EV_SEPARATOR.code:
        isSeparated = true;
        break;
      case eventTypes.EV_EFI_ACTION.code:
        if (actionOf(event) !== dmaProtectionDisabled) return contradiction(event, 'an action that has no place here');
        break;
      case eventTypes.EV_EFI_VARIABLE_AUTHORITY.code:
      case eventTypes.EV_EFI_SPDM_DEVICE_POLICY.code:
      case eventTypes.EV_EFI_SPDM_DEVICE_AUTHORITY.code: {
        const variable = decodeVariable(event.data);
        if (variable === undefined) return contradiction(event, 'no UEFI variable');
        if (neverAuthority.has(variable.name)) return contradiction(event, `the variable ${variable.name} under this type`);
        break;
      }
      case eventTypes.EV_EFI_VARIABLE_DRIVER_CONFIG.code: {
        const variable = decodeVariable(event.data);
        if (variable?.bytesLeft !== 0) return contradiction(event, 'not exactly one UEFI variable');
        if (isSeparated) return contradiction(event, `the variable ${variable.name} after the separator`);
        if (seen.has(variable.name)) return contradiction(event, `the variable ${variable.name} for the second time`);
        seen.add(variable.name);
        if (variable.name !== 'SecureBoot') break;
        if (variable.guid !== globalVendor) return contradiction(event, `SecureBoot of ${variable.guid}`);
        const [state = 0, ...more] = variable.content;
        if (state > 1 || more.length > 0) return contradiction(event, 'SecureBoot is neither 0 nor 1');
        secureBoot = state === 1;
        break;
      }
      default:
        return contradiction(event, 'a type that has no place here');
    }
  }
  return ok(secureBoot);
};

/** The only action that leaves the policy in force. `UEFI Debug Mode` does not: a debugger rewrites what it likes. */
const dmaProtectionDisabled = 'DMA Protection Disabled';

const actionOf = ({ data }: LogEvent): string => Buffer.from(data).toString('latin1');

/** These configure, they authorise nothing; `db` does both. */
const neverAuthority: ReadonlySet<string> = new Set(['SecureBoot', 'PK', 'KEK', 'dbx', 'dbt', 'dbr']);
