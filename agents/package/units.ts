/**
 * systemd units of the programs (systemd.exec(5)): the boundary of each (SR-31). Node's flags, inside of it, are those of
 * every device (`agents/supervisor/launch.ts`).
 */
import { deviceLayout } from '#agents/programs/layout';
import { type ProgramName, programNames } from '#agents/supervisor/launch';
import { accounts, foldersOf, userOf } from './accounts.ts';
import { launchInstalled } from './launch.ts';
import { installed } from './places.ts';

/** What one unit has that others have not. */
interface Needs {
  readonly unit?: readonly string[];
  readonly service: readonly string[];
}

const site = deviceLayout(installed.directory).site;
const withSite = `ConditionPathExists=${site}`;
const noDevice = ['PrivateDevices=yes', 'ProtectKernelTunables=yes', 'ProtectProc=invisible'];
/** Node without a compiler makes no memory executable: W^X holds (SR-31). */
const neverBoth = ['MemoryDenyWriteExecute=yes', 'SystemCallFilter=~memfd_create'];
const noNetwork = ['PrivateNetwork=yes', 'RestrictAddressFamilies=AF_UNIX'];
/** AF_NETLINK: the C library asks the kernel for addresses before it looks up a name. */
const network = 'RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK';

const needs: Readonly<Record<ProgramName, Needs>> = {
  beacond: {
    // First, and by itself (SR-11). Where no Key is plugged in there is nothing to relay; a rule of udev may start it then.
    unit: [`Before=${programNames.slice(1).map(unitOf).join(' ')}`, withSite, `ConditionPathExists=${installed.keyLink}`],
    service: [
      ...[...neverBoth, network, 'ProtectKernelTunables=yes', 'ProtectProc=invisible', 'OOMScoreAdjust=-900'],
      ...['DevicePolicy=closed', ...['ttyACM', 'ttyUSB', 'ttyS', 'ttyAMA'].map((line) => `DeviceAllow=char-${line} rw`)],
    ],
  },
  hald: {
    service: [
      ...['DevicePolicy=closed', 'DeviceAllow=/dev/tpmrm0 rw', 'ReadWritePaths=-/proc/sysrq-trigger'],
      ...[...neverBoth, 'RestrictAddressFamilies=AF_UNIX AF_NETLINK'],
    ],
  },
  // It finds a filtered TPM that comes later too, by a start more.
  linkd: { unit: [`After=${unitOf('hald')}`, withSite], service: [...noDevice, ...neverBoth, network] },
  inferd: { service: noDevice },
  agentd: {
    unit: [`After=${(['hald', 'linkd', 'inferd'] as const).map(unitOf).join(' ')}`, withSite],
    service: noDevice,
  },
  paged: {
    unit: [`After=${unitOf('agentd')}`, withSite],
    service: [...[...noDevice, 'RestrictAddressFamilies=AF_UNIX AF_INET'], ...['IPAddressDeny=any', 'IPAddressAllow=localhost']],
  },
};

/** Of every program. */
const common = [
  ...['NoNewPrivileges=yes', 'ProtectSystem=strict', 'ProtectHome=yes', 'PrivateTmp=yes', 'UMask=0007'],
  ...['ProtectClock=yes', 'ProtectHostname=yes', 'ProtectKernelLogs=yes', 'ProtectKernelModules=yes'],
  ...['ProtectControlGroups=yes', 'RestrictNamespaces=yes', 'RestrictRealtime=yes', 'RestrictSUIDSGID=yes'],
  ...['LockPersonality=yes', 'RemoveIPC=yes', 'KeyringMode=private', 'LimitCORE=0', 'SystemCallArchitectures=native'],
  ...['SystemCallErrorNumber=EPERM', 'SystemCallFilter=@system-service'],
] as const;

export const targetName = 'enigm.target';

/** File name of a unit → its text: one for each program, and the target that starts them all. */
export const units = (): ReadonlyMap<string, string> =>
  new Map([
    ...programNames.map((name) => [unitOf(name), serviceOf(name)] as const),
    [
      targetName,
      sections({
        Unit: ['Description=Enigm Device', `Wants=${programNames.map(unitOf).join(' ')}`],
      }),
    ],
  ]);

function unitOf(name: ProgramName): string {
  return `enigm-${name}.service`;
}

const serviceOf = (name: ProgramName): string => {
  const { does } = accounts[name];
  const writes = foldersOf(name);
  const { flags, script, words, environment } = launchInstalled(name, {
    // What the device keeps lies where the system puts it; no first root of ours opened it.
    ...{ data: 'of-the-system', writes: ['/dev/tpmrm0', '/proc/sysrq-trigger'] },
  });
  return sections({
    Unit: [
      `Description=Enigm Device: ${does}`,
      'Documentation=file:///usr/share/doc/enigm-device/README.md',
      `PartOf=${targetName}`,
      'After=systemd-tmpfiles-setup.service',
      // A device that gave up would be a device that somebody can switch off by making it fail.
      'StartLimitIntervalSec=0',
      ...(needs[name].unit ?? []),
    ],
    Service: [
      ...['Type=exec', `User=${userOf(name)}`, `Group=${userOf(name)}`],
      ...Object.entries(environment).map(([key, value]) => `Environment=${key}=${value}`),
      `ExecStart=${[installed.node, ...flags, script, ...words].join(' ')}`,
      ...['Restart=always', 'RestartSec=1s', 'TimeoutStopSec=5s'],
      ...common,
      `ReadWritePaths=${writes.join(' ')}`,
      `NoExecPaths=${[...writes, '/tmp', '/var/tmp'].join(' ')}`,
      ...capabilitiesOf(name),
      ...(accounts[name].isAlone === true ? noNetwork : []),
      ...needs[name].service,
    ],
  });
};

const capabilitiesOf = (name: ProgramName): readonly string[] => {
  const { capabilities = [] } = accounts[name];
  const named = capabilities.map((capability) => `CAP_${capability}`).join(' ');
  return [...(named === '' ? [] : [`AmbientCapabilities=${named}`]), `CapabilityBoundingSet=${named}`];
};

const sections = (named: Readonly<Record<string, readonly string[]>>): string =>
  Object.entries(named)
    .map(([name, lines]) => `[${name}]\n${lines.map((line) => `${line}\n`).join('')}`)
    .join('\n');
