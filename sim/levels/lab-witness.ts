/** The network of a device of real processes: a lab that the run makes for itself, and what is seen in it. */
import { spawn, spawnSync } from 'node:child_process';
import type { NetworkLab } from '#hal/linux/network-lab';
import type { Clock } from '#hal/ports/clock';
import type { NetworkWitness } from '#sim/world/world';

const nft = '/usr/sbin/nft';
const port = 4711;
const listensWithinMs = 15_000;
/** A packet over a cable within one kernel needs no longer. */
const arrivesWithinMs = 500;
const lookMs = 20;
const never = new AbortController().signal;

export const labWitness = ({ device, far }: NetworkLab, clock: Clock): NetworkWitness => ({
  addresses: { 'address of the device': device.address, 'address at the far end': far.address },
  addForeignTable: async () => void (await device.run(nft, ['add', 'table', 'inet', 'foreign'])),
  async hasForeignTable() {
    const tables = await device.run(nft, ['list', 'tables']);
    return tables.ok && tables.value.includes('inet foreign');
  },
  async packetArrives(word) {
    const source = `const s=require('dgram').createSocket('udp4');s.on('message',(m)=>console.log(String(m)));s.bind(${port},()=>console.log('ready'))`;
    const [program = '', ...words] = far.before;
    const listener = spawn(program, [...words, process.execPath, '-e', source], { stdio: ['ignore', 'pipe', 'ignore'] });
    let heard = '';
    listener.stdout.on('data', (data: Buffer) => {
      heard += data.toString();
    });
    const hears = async (what: string, withinMs: number): Promise<boolean> => {
      for (let waitedMs = 0; waitedMs < withinMs && !heard.includes(what); waitedMs += lookMs) await clock.sleep(lookMs, never);
      return heard.includes(what);
    };
    try {
      if (!(await hears('ready', listensWithinMs))) throw new Error('nobody listens at the far end');
      const [sender = '', ...before] = device.before;
      spawnSync(sender, [...before, 'bash', '-c', `echo '${word}' > /dev/udp/${far.address}/${port}`], { stdio: 'ignore' });
      return await hears(word, arrivesWithinMs);
    } finally {
      listener.kill('SIGKILL');
    }
  },
});
