/** A small PE32+ file with two sections: header 1 KiB, .text and .data of 512 bytes each. */
export const smallPe = ({
  timestamp = 0,
  checksum = 0,
}: {
  readonly timestamp?: number;
  readonly checksum?: number;
} = {}): Uint8Array => {
  const file = new Uint8Array(0x800);
  const view = new DataView(file.buffer);
  view.setUint16(0, 0x5a4d, true);
  view.setUint32(0x3c, 0x80, true);
  view.setUint32(0x80, 0x4550, true);
  const coff = 0x84;
  view.setUint16(coff, 0x8664, true);
  view.setUint16(coff + 2, 2, true);
  view.setUint32(coff + 4, timestamp, true);
  view.setUint16(coff + 16, 240, true);
  const optional = coff + 20;
  view.setUint16(optional, 0x20b, true);
  view.setUint32(optional + 32, 512, true);
  view.setUint32(optional + 36, 512, true);
  view.setUint32(optional + 56, 0x3000, true);
  view.setUint32(optional + 60, 0x400, true);
  view.setUint32(optional + 64, checksum, true);
  for (const [index, name] of ['.text', '.data'].entries()) {
    const at = optional + 240 + 40 * index;
    file.set(Buffer.from(name), at);
    view.setUint32(at + 8, 512, true);
    view.setUint32(at + 12, 0x1000 * (index + 1), true);
    view.setUint32(at + 16, 512, true);
    view.setUint32(at + 20, 0x400 + 512 * index, true);
    file.fill(0x10 + index, 0x400 + 512 * index, 0x600 + 512 * index);
  }
  return file;
};
