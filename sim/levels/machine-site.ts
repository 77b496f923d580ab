/** The site configuration of a machine in the emulator. */
import { hostAddress } from '#sim/qemu/arguments';

/** Every instruction is emulated: the trial of a release takes so many times longer. */
const slowness = 10;

interface Site {
  readonly fleet: { readonly update: { readonly trialSeconds: number } };
}

/** The same far ends, as a guest of the emulator sees them: its gateway is the machine that runs it. */
export const machineSite = (site: string, pagePort: number): string => {
  const { fleet, ...rest } = JSON.parse(site.replaceAll('127.0.0.1', hostAddress)) as Site;
  const { update } = fleet;
  return JSON.stringify({
    ...rest,
    fleet: { ...fleet, update: { ...update, trialSeconds: update.trialSeconds * slowness } },
    page: { port: pagePort },
  });
};
