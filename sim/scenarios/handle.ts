/** Step 4: one pseudonym for each relying party; the audit log correlates by it, and nobody else can. */
import { faultOf, textOf } from './outcome.ts';
import { refused, type Scenario, seen } from './scenario.ts';

interface ShownHandle {
  readonly relyingParty: string;
  readonly handle: string;
}

export const handle: Scenario = {
  step: 'handle',
  title: 'each relying party knows the device by another handle; audit correlates by it',
  async run({ device }) {
    for (const relyingParty of ['account', 'command']) {
      const fault = faultOf(await device.enigmctl('attest', 'now', '--relying-party', relyingParty));
      if (fault !== undefined) return refused(fault);
    }
    const listed = await device.enigmctl('handles');
    const handles = listed.json['handles'] as readonly ShownHandle[];
    const of = (party: string) => handles.find(({ relyingParty }) => relyingParty === party)?.handle ?? '';
    if (of('account') === of('command') || of('account') === '') return refused({ category: 'handle', reason: 'missing' });
    const audit = await device.enigmctl('audit', 'list');
    const records = audit.json['records'] as readonly { readonly handle?: string; readonly category: string }[];
    const verified = await device.enigmctl('audit', 'verify');
    const fault = faultOf(verified);
    if (fault !== undefined) return refused(fault);
    return seen({
      account: of('account'),
      command: of('command'),
      recordsUnderAccountHandle: records.filter((record) => record.handle === of('account')).length,
      auditCategories: [...new Set(records.map(({ category }) => category))].sort().join(' '),
      auditRecords: Number(textOf(verified.json, 'size')),
    });
  },
};
