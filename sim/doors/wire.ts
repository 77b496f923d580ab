/**
 * Many byte streams on one line that may lose its far end at any time: `kind 1 | channel 2 | content`, by COBS between
 * zero bytes, so that whoever comes back in the middle of something finds the next beginning.
 */
import { cobsDecode, cobsEncode } from '#firmware-key/core/cobs';
import { concat, u8, u16be } from '#hal/core/bytes';

export const kinds = { reset: 0, hello: 1, open: 2, data: 3, end: 4 } as const;
export type Kind = keyof typeof kinds;

export interface Piece {
  readonly kind: Kind;
  /** Odd ones are opened by the host, even ones by the guest. */
  readonly channel: number;
  readonly content: Uint8Array;
}

export const maxContentBytes = 16 * 1024;
const maxEncodedBytes = maxContentBytes + 256;
const names = Object.keys(kinds) as readonly Kind[];

export const encodePiece = ({ kind, channel, content }: Piece): Uint8Array =>
  concat(u8(0), cobsEncode(concat(u8(kinds[kind]), u16be(channel), content)), u8(0));

const decodePiece = (encoded: Uint8Array): Piece | undefined => {
  const whole = cobsDecode(encoded);
  const kind = names[whole?.[0] ?? names.length];
  if (whole === undefined || whole.length < 3 || kind === undefined) return undefined;
  return { kind, channel: new DataView(whole.buffer, whole.byteOffset).getUint16(1), content: whole.slice(3) };
};

/** Cuts a stream into pieces; what is no piece, or too long for one, is left out. */
export const pieceReader = (): ((bytes: Uint8Array) => readonly Piece[]) => {
  let pending: Uint8Array[] = [];
  let pendingBytes = 0;
  return (bytes) => {
    const pieces: Piece[] = [];
    let start = 0;
    for (let end = bytes.indexOf(0); end !== -1; end = bytes.indexOf(0, start)) {
      const encoded = concat(...pending, bytes.subarray(start, end));
      const piece = encoded.length > maxEncodedBytes ? undefined : decodePiece(encoded);
      if (piece !== undefined) pieces.push(piece);
      pending = [];
      pendingBytes = 0;
      start = end + 1;
    }
    pendingBytes += bytes.length - start;
    // Of what is too long already nothing more is kept but that it is.
    if (pendingBytes <= maxEncodedBytes) pending.push(bytes.slice(start));
    return pieces;
  };
};
