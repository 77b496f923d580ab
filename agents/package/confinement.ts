/**
 * What stands before a program so that it is one of our users, and nobody else (SR-31): setpriv(1), and unshare(1) where
 * it is alone in its network. Limit: there is neither seccomp nor W^X, which the units have and nothing here sets up.
 */
import type { ProgramName } from '#agents/supervisor/launch';
import { accounts, type Capability, userOf } from './accounts.ts';

/** Programs of util-linux. */
export const confiners = { setpriv: '/usr/bin/setpriv', unshare: '/usr/bin/unshare' } as const;

/** @param more capabilities that this machine's hands need beyond those of any device */
export const confined = (name: ProgramName, more: readonly Capability[] = []): readonly string[] => {
  const { capabilities = [], isAlone = false } = accounts[name];
  const kept = ['-all', ...[...capabilities, ...more].map((capability) => `+${capability.toLowerCase()}`)].join(',');
  return [
    ...(isAlone ? [confiners.unshare, '--net', '--'] : []),
    ...[confiners.setpriv, '--reuid', userOf(name), '--regid', userOf(name), '--init-groups', '--no-new-privs'],
    ...['--inh-caps', kept, '--ambient-caps', kept, '--bounding-set', kept, '--'],
  ];
};
