/** The far ends of a fleet, started together: broker, repository files, Command. */
import { join } from 'node:path';
import { toHex } from '#hal/core/bytes';
import { ok, type Result } from '#hal/core/result';
import type { Clock } from '#hal/ports/clock';
import type { Random } from '#hal/ports/random';
import { type BrokerPeer, startBroker } from './broker.ts';
import { type CommandPeer, type CommandPeerOptions, startCommand } from './command.ts';
import { type FilesPeer, startFiles } from './files.ts';
import type { PeerSecrets } from './secrets.ts';

export interface FleetPeers {
  readonly broker: BrokerPeer;
  readonly files: FilesPeer;
  readonly command: CommandPeer;
  close(): Promise<void>;
}

export interface FleetOptions {
  readonly directory: string;
  readonly secrets: PeerSecrets;
  readonly clock: Clock;
  readonly random: Random;
  /** What a device reported, for a director. */
  readonly onReport?: CommandPeerOptions['onReport'];
}

/** @returns the running peers, or `unavailable/not-supported` with the sentence that says what is not installed */
export const startFleet = async ({ directory, secrets, clock, random, onReport }: FleetOptions): Promise<Result<FleetPeers>> => {
  const label = toHex(random.bytes(16));
  const broker = await startBroker({ directory, secrets, clock, commandLabel: label });
  if (!broker.ok) return broker;
  const command = await startCommand({
    ...{ directory, secrets, clock, random, broker: broker.value, label },
    ...(onReport === undefined ? {} : { onReport }),
  });
  if (!command.ok) {
    await broker.value.close();
    return command;
  }
  const files = await startFiles({ directory: join(directory, 'repository'), secrets, clock });
  return ok({
    broker: broker.value,
    command: command.value,
    files,
    async close() {
      await command.value.close();
      await files.close();
      await broker.value.close();
    },
  });
};
