/** The checksum of zip entries. node:zlib has it too, but only from Node 20.15 on. */
let table: Uint32Array | undefined;

/** CRC-32 (polynomial 0xEDB88320, reflected) as an unsigned number. */
export function crc32(bytes: Uint8Array): number {
  const values = (table ??= Uint32Array.from({ length: 256 }, (_, byte) => {
    let rest = byte;
    for (let bit = 0; bit < 8; bit++) rest = (rest >>> 1) ^ (rest & 1 ? 0xedb88320 : 0);
    return rest;
  }));
  let crc = 0xffff_ffff;
  for (const byte of bytes) crc = values[(crc ^ byte) & 255]! ^ (crc >>> 8);
  return ~crc >>> 0;
}
