/** The network of a machine in the emulator: its own packet rules, and a listener on the machine that runs the emulator. */
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { type Result, unwrap } from '#hal/core/result';
import type { Clock } from '#hal/ports/clock';
import { guestAddress, hostAddress } from '#sim/qemu/arguments';
import type { NetworkWitness } from '#sim/world/world';

const nft = '/usr/sbin/nft';
/** Everything in the machine is emulated, the card too. */
const arrivesWithinMs = 5_000;
const connectWithinSeconds = 5;
const lookMs = 20;
const never = new AbortController().signal;

/** @param shell a line at the shell of the machine, which is root's; undefined while there is none */
export const machineWitness = (clock: Clock, shell: (line: string) => Promise<Result<string>> | undefined): NetworkWitness => {
  const said = async (line: string): Promise<string> => unwrap((await shell(line)) ?? noShell);
  return {
    addresses: { 'address of the device': guestAddress, 'address at the far end': hostAddress },
    addForeignTable: async () => void (await said(`${nft} add table inet foreign`)),
    hasForeignTable: async () => (await said(`${nft} list tables`)).includes('inet foreign'),
    async packetArrives(word) {
      let heard = '';
      const listener = createServer((socket) => {
        socket
          .on('error', () => undefined)
          .on('data', (bytes) => {
            heard += bytes.toString();
          });
      }).listen(0, '127.0.0.1');
      await once(listener, 'listening');
      const { port } = listener.address() as AddressInfo;
      try {
        await said(`echo ${word} | busybox nc -w ${connectWithinSeconds} ${hostAddress} ${port}`);
        for (let waitedMs = 0; waitedMs < arrivesWithinMs && !heard.includes(word); waitedMs += lookMs)
          await clock.sleep(lookMs, never);
        return heard.includes(word);
      } finally {
        listener.close();
      }
    },
  };
};

const noShell = { ok: false, fault: { category: 'unavailable', reason: 'link-down', detail: 'the machine is off' } } as const;
