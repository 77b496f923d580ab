/** Updates: handlers of the hands. What is written counts for nothing before it was read back, so only its begin needs a permit. */
import { releaseMemory } from '#hal/core/release-memory';
import { ok, type Result } from '#hal/core/result';
import type { UpdatePorts } from '#hal/ports/updater';
import type { HandsMethods } from '#hal/remote/hands-methods';
import type { Handlers } from '#hal/remote/methods';

type UpdateMethod = Extract<keyof HandsMethods, `update.${string}`>;

export const updateHandlers = ({
  slotWriter,
  slotStarter,
  runningSystem,
}: UpdatePorts): Pick<Handlers<HandsMethods>, UpdateMethod> => ({
  'update.begin': (order) => slotWriter.begin(order),
  'update.write': async ({ owner, segment, bytes }) => {
    const written = await slotWriter.write(owner, segment, bytes);
    releaseMemory(bytes);
    return nothing(written);
  },
  'update.take': async ({ owner, segment, digests, ranges }) => {
    const count = await slotWriter.take(owner, segment, { digests, ranges });
    return count.ok ? ok({ count: count.value }) : count;
  },
  'update.flush': ({ owner }) => slotWriter.flush(owner),
  'update.finish': async ({ owner }) => nothing(await slotWriter.finish(owner)),
  'update.abandon': async ({ owner }) => nothing(await slotWriter.abandon(owner)),
  'update.arm': async ({ statement }) => {
    const outcome = await slotStarter.arm(statement);
    return outcome.ok ? ok({ outcome: outcome.value }) : outcome;
  },
  'update.commit': async () => nothing(await slotStarter.commit()),
  'update.rollBack': async ({ digest }) => nothing(await slotStarter.rollBack(digest)),
  'update.giveUp': async ({ reason }) => nothing(await slotStarter.giveUp(reason)),
  'update.raiseFloor': async ({ digest }) => nothing(await slotStarter.raiseFloor(digest)),
  'update.status': () => slotStarter.status(),
  'update.readRunning': async ({ offset, lengthBytes }) => {
    const bytes = await runningSystem.read(offset, lengthBytes);
    return bytes.ok ? ok({ bytes: bytes.value }) : bytes;
  },
  'update.health': async () => {
    const readings = await runningSystem.health();
    return readings.ok ? ok({ readings: readings.value }) : readings;
  },
});

const nothing = (result: Result<void>): Result<Record<string, never>> => (result.ok ? ok({}) : result);
