/** Who is at the other end of a unix socket: asked of the kernel, never of the peer. */
import type { Socket } from 'node:net';
import { ok, type Result } from '#hal/core/result';
import { type Addon, loadAddon, type PeerCredentials } from './load.ts';

/** Undefined for a socket that is gone. */
export type ReadPeer = (socket: Socket) => PeerCredentials | undefined;

/** @returns the reader, or `unavailable/tpm-missing` where the addon cannot be loaded */
export const peerCredentials = (addonPath: string, build: Addon['build']): Result<ReadPeer> => {
  const addon = loadAddon(addonPath, build);
  if (!addon.ok) return addon;
  return ok((socket) => {
    // Node gives no public way to the descriptor of a socket.
    const fileDescriptor = (socket as unknown as { readonly _handle?: { readonly fd?: number } })._handle?.fd;
    return fileDescriptor === undefined || fileDescriptor < 0 ? undefined : addon.value.peer(fileDescriptor);
  });
};
