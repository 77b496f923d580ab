/** What may lie between a machine and its media, as block drivers of QEMU: a log of what is written, and errors. */

export interface DiskFault {
  /** What ends with an I/O error, as on a block that has gone bad. */
  readonly on: 'read' | 'write';
  /** Of 512 bytes; a request that touches it fails as a whole. */
  readonly sector: number;
}

/** A node of QEMU's block graph (QEMU, "QMP Reference Manual", `BlockdevOptions`). */
export type BlockNode = Readonly<Record<string, unknown>>;

export const fileNode = (format: 'raw' | 'qcow2', path: string): BlockNode => ({
  ...{ driver: format, file: { driver: 'file', filename: path } },
});

/** @param log a file that is there, empty: each write and flush is appended to it */
export const loggedNode = (node: BlockNode, log: string): BlockNode => ({
  ...{ driver: 'blklogwrites', 'log-sector-size': 512, file: node, log: { driver: 'file', filename: log } },
});

/** Before the log, where there is one: what failed was not written. @param image a node, or the name of one */
export const faultyNode = (image: BlockNode | string, faults: readonly DiskFault[]): BlockNode => ({
  driver: 'blkdebug',
  image,
  // At any event; `EIO`.
  'inject-error': faults.map(({ on, sector }) => ({ event: 'none', iotype: on, sector, errno: 5 })),
});
