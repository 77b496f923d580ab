/** What a change of a signed file can do: nothing. Every change is refused, or leaves what is trusted exactly as it was. */
import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { unwrap } from '#hal/core/result';
import { hybridForge, never, now, person, trustIn } from './forge.fixture.ts';
import { refresh } from './refresh.ts';

const runs = Number(process.env['ENIGM_FUZZ_RUNS'] ?? 80);

describe.each(['root', 'timestamp', 'snapshot', 'targets'])('%s', (role) => {
  test(`${runs} changed bits are refused, or change nothing`, async () => {
    const forge = hybridForge();
    forge.hashed = false; // so that signatures alone decide
    forge.addTarget('targets', 'x', 'content', { releaseCounter: 1 });
    // No signature more than the threshold, so that each of them counts.
    const by = ['ada', 'bea'].flatMap(person);
    forge.publishRoot({ by });
    forge.publishTargets('targets', { by });
    forge.publishSnapshot();
    forge.publishTimestamp();
    const name = forge.fileName(role, 2);
    const original = forge.latest(role);
    const trust = () => trustIn(forge);
    const view = ({ root, snapshot, targets }: { root: object; snapshot: object; targets: object }) => ({
      root,
      snapshot,
      targets,
    });
    const expected = view(unwrap(await refresh(trust(), now, never)));
    let refused = 0;
    for (let run = 0; run < runs; run++) {
      const draw = createHash('sha256').update(`${role} ${run}`).digest();
      const at = draw.readUInt32BE(0) % original.length;
      forge.files.set(
        name,
        original.map((byte, index) => (index === at ? byte ^ (1 << ((draw[4] ?? 0) % 8)) : byte)),
      );
      const changed = await refresh(trust(), now, never);
      if (changed.ok) expect(view(changed.value), `byte ${at}`).toEqual(expected);
      else refused += 1;
    }
    // What is left is the other case of a hexadecimal digit.
    expect(refused).toBeGreaterThan(runs / 2);
  });
});
