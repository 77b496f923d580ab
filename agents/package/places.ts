/** Where a device has what was installed, what it keeps, and its sockets. */
export const installed = {
  programs: '/usr/lib/enigm',
  node: '/usr/lib/enigm/node',
  addon: '/usr/lib/enigm/tpm.node',
  /** Outlives an update and a removal of the package. */
  directory: '/var/lib/enigm',
  /** Gone at each boot. */
  runDirectory: '/run/enigm',
  /** A link that whoever builds the device makes, to the line of the Key that belongs to it. */
  keyLink: '/dev/enigm-key',
} as const;
