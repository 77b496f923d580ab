/**
 * MQTT packets, cut from the bytes as they come: one byte of the type, one to four of the length, then so many more
 * (MQTT 5, OASIS standard, §2.1.1, §1.5.5).
 *
 * The library collects a packet, up to 256 MiB, before it looks at it; and where one has no identifier it writes
 * `undefined` for an acknowledgement, which throws where nobody catches it. So it is given what has passed here, in whole
 * packets: after one that it cannot read it drops the rest of what it was given, and would take the middle of a packet for
 * the beginning of the next.
 */
import { concatAll } from '#hal/core/bytes';

const mostLengthBytes = 4;
const publish = 3;
/** CONNACK, PUBACK, SUBACK, PINGRESP, DISCONNECT, each with its flags: all but PUBLISH that is sent to who only uses QoS 1. */
const answers: readonly number[] = [0x20, 0x40, 0x90, 0xd0, 0xe0];
const identifierBytes = 2;

/**
 * @param maxBytes of a packet with its header, as Maximum Packet Size counts (§3.1.2.11.4)
 * @returns given one chunk after the other: the packets that end in it; undefined from one on that is announced larger,
 * whose length has no end, that nobody may send us, or that has no room for the identifier it needs
 */
export const packetsWithin = (maxBytes: number): ((chunk: Uint8Array) => Uint8Array | undefined) => {
  let header: number[] = [];
  let packet: Uint8Array | undefined;
  let filledBytes = 0;
  let isRefused = false;
  const readHeader = (byte: number): void => {
    header.push(byte);
    const [type = 0, ...length] = header;
    if (length.length === 0) {
      isRefused = !isForUs(type);
      return;
    }
    const hasMore = byte >= 0x80;
    const packetBytes = header.length + length.reduce((sum, digit, place) => sum + (digit & 0x7f) * 128 ** place, 0);
    isRefused = packetBytes > maxBytes || (hasMore && length.length === mostLengthBytes);
    if (hasMore || isRefused) return;
    packet = new Uint8Array(packetBytes);
    packet.set(header);
    filledBytes = header.length;
  };
  return (chunk) => {
    const whole: Uint8Array[] = [];
    for (let at = 0; at < chunk.length && !isRefused; ) {
      if (packet === undefined) {
        readHeader(chunk[at] ?? 0);
        at += 1;
      } else {
        const part = chunk.subarray(at, at + packet.length - filledBytes);
        packet.set(part, filledBytes);
        filledBytes += part.length;
        at += part.length;
      }
      if (packet === undefined || filledBytes < packet.length) continue;
      isRefused = !hasIdentifier(packet, header.length);
      whole.push(packet);
      packet = undefined;
      header = [];
    }
    return isRefused ? undefined : concatAll(whole);
  };
};

const qosOf = (type: number): number => (type >> 1) & 3;

const isForUs = (type: number): boolean => (type >> 4 === publish ? qosOf(type) <= 1 : answers.includes(type));

/** PUBLISH of QoS 1 has its identifier behind the topic (§3.3.2.2); the library takes no harm from others that are short. */
const hasIdentifier = (packet: Uint8Array, headerBytes: number): boolean => {
  const [type = 0] = packet;
  if (type >> 4 !== publish || qosOf(type) === 0) return true;
  const [high = 0, low = 0] = packet.subarray(headerBytes);
  return packet.length >= headerBytes + 2 + high * 256 + low + identifierBytes;
};
