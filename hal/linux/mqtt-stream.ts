/** Between the socket and the library: what a broker sends is looked at before the library reads a byte of it. */
import { Duplex } from 'node:stream';
import { packetsWithin } from './mqtt-packets.ts';

/** @returns what is written to goes to `socket`; both are destroyed with the first packet that `packetsWithin` refuses */
export const checkedPackets = (socket: Duplex, maxPacketBytes: number): Duplex => {
  const packetsOf = packetsWithin(maxPacketBytes);
  const stream = new Duplex({
    read: () => void socket.resume(),
    write: (chunk, _, written) => void socket.write(chunk, written),
    // The library writes a packet in many pieces: each alone would be a record of TLS.
    writev: (chunks, written) => void socket.write(Buffer.concat(chunks.map(({ chunk }) => chunk as Buffer)), written),
    final: (ended) => void socket.end(ended),
    destroy: (error, destroyed) => {
      socket.destroy();
      destroyed(error);
    },
  });
  socket.on('data', (chunk: Buffer) => {
    const packets = packetsOf(chunk);
    if (packets === undefined) stream.destroy();
    else if (packets.length > 0 && !stream.push(packets)) socket.pause();
  });
  // A broker that has said its last word hears nothing more either.
  socket.on('error', (error) => stream.destroy(error)).on('end', () => stream.destroy());
  socket.on('close', () => stream.destroy());
  return stream;
};
