/** The users of a machine that has no sysusers.d(5): passwd(5) and group(5), the same numbers in every image. */
import { programNames } from '#agents/supervisor/launch';
import { groupsOf, userOf } from './accounts.ts';

/** As Debian has them (base-passwd). */
const ofTheSystem = { root: 0, dialout: 20 } as const;
const firstId = 900;
const nobodyLogsIn = '/usr/sbin/nologin';

const ids: ReadonlyMap<string, number> = new Map([
  ...Object.entries(ofTheSystem),
  ...programNames.map((name, index) => [userOf(name), firstId + index] as const),
]);

export const passwd = (): string =>
  lines(
    'root:x:0:0:root:/root:/bin/sh',
    ...programNames.map((name) => `${userOf(name)}:x:${ids.get(userOf(name))}:${ids.get(userOf(name))}::/:${nobodyLogsIn}`),
  );

export const group = (): string =>
  lines(
    ...[...ids].map(([name, id]) => {
      const members = programNames.filter((program) => groupsOf(program).includes(name)).map(userOf);
      return `${name}:x:${id}:${members.join(',')}`;
    }),
  );

const lines = (...texts: readonly string[]): string => texts.map((text) => `${text}\n`).join('');
