/** What dpkg runs around a package (Debian Policy §6.5). Nothing of it needs a systemd that runs. */
import { userOf } from '#agents/package/accounts';
import { installed } from '#agents/package/places';
import { targetName } from '#agents/package/units';
import { programNames } from '#agents/supervisor/launch';

const script = (body: string): string => `#!/bin/sh\nset -e\n${body}`;
const users = programNames.map(userOf).join(' ');
const underSystemd = '[ -d /run/systemd/system ]';

export const scripts: ReadonlyMap<string, string> = new Map([
  [
    'postinst',
    script(`[ "$1" = configure ] || exit 0
systemd-sysusers enigm-device.conf
systemd-tmpfiles --create enigm-device.conf
if ${underSystemd}; then
  systemctl daemon-reload
  systemctl restart ${targetName}
fi
`),
  ],
  [
    'prerm',
    script(`if [ "$1" = remove ] && ${underSystemd}; then systemctl stop ${targetName} 'enigm-*.service'; fi
`),
  ],
  [
    'postrm',
    script(`case $1 in
  remove)
    rm -rf ${installed.runDirectory}
    if ${underSystemd}; then systemctl daemon-reload; fi
    ;;
  purge)
    # Keys that only this machine's TPM opens, the audit log, the pairing with the Key: gone for good.
    rm -rf ${installed.directory} ${installed.runDirectory}
    # They own nothing any more, so nobody who is given their number gets anything.
    for user in ${users}; do if getent passwd "$user" > /dev/null; then userdel "$user"; fi; done
    for group in ${users}; do if getent group "$group" > /dev/null; then groupdel "$group"; fi; done
    ;;
esac
`),
  ],
]);
