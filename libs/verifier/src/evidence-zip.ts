/**
 * The one form of ZIP that a package of evidence has (APPNOTE 6.3.10, always with the ZIP64 fields): every byte beside the
 * contents follows from names, lengths and checksums, so whoever reads one writes it again and compares.
 */

/** A file of the package. */
export interface ZipEntry {
  name: string;
  /** A file whose length was not known when it was begun is deflated, and its length follows it. */
  method: 'deflated' | 'stored';
  /** CRC-32 of the content. */
  crc: number;
  /** Bytes as they are in the package. */
  packed: number;
  /** Bytes of the content. */
  size: number;
  /** Where its header begins. */
  offset: number;
}

const ZIP64 = 45;
const UNIX = 3;
/** The 1st of January 1980, in DOS's words: a package says in itself when it was made. */
const NO_DATE = 0x0021;
const FOLLOWS = 0x0008;
const ELSEWHERE_16 = 0xffff;
const ELSEWHERE_32 = 0xffffffff;
const REGULAR_FILE = (0o100644 << 16) >>> 0;
const HEADER_BYTES = 30;
const RECORD_BYTES = 46;
const END_BYTES = 56 + 20 + 22;
/** A package has some ten files. */
const MAX_DIRECTORY_BYTES = 8_192;

/** What stands before the content. */
export function localHeader({ name, method, crc, packed, size }: ZipEntry): Buffer {
  const isKnown = method === 'stored';
  const bytes = Buffer.alloc(HEADER_BYTES);
  bytes.writeUInt32LE(0x04034b50, 0);
  writeShared(bytes, 4, method, isKnown ? crc : 0);
  bytes.writeUInt16LE(name.length, 26);
  bytes.writeUInt16LE(20, 28);
  return Buffer.concat([bytes, Buffer.from(name, 'latin1'), zip64(isKnown ? [size, packed] : [0, 0])]);
}

/** What stands behind the content, where its length was not known before. */
export function descriptor({ method, crc, packed, size }: ZipEntry): Buffer {
  if (method === 'stored') return Buffer.alloc(0);
  const bytes = Buffer.alloc(24);
  bytes.writeUInt32LE(0x08074b50, 0);
  bytes.writeUInt32LE(crc, 4);
  bytes.writeBigUInt64LE(BigInt(packed), 8);
  bytes.writeBigUInt64LE(BigInt(size), 16);
  return bytes;
}

/** All that stands behind the last file, from `offset` on: the directory, and where it is. */
export function directory(entries: readonly ZipEntry[], offset: number): Buffer {
  const records = Buffer.concat(entries.map(record));
  const end = Buffer.alloc(END_BYTES);
  end.writeUInt32LE(0x06064b50, 0);
  end.writeBigUInt64LE(44n, 4);
  end.writeUInt16LE((UNIX << 8) | ZIP64, 12);
  end.writeUInt16LE(ZIP64, 14);
  end.writeBigUInt64LE(BigInt(entries.length), 24);
  end.writeBigUInt64LE(BigInt(entries.length), 32);
  end.writeBigUInt64LE(BigInt(records.length), 40);
  end.writeBigUInt64LE(BigInt(offset), 48);
  end.writeUInt32LE(0x07064b50, 56);
  end.writeBigUInt64LE(BigInt(offset + records.length), 64);
  end.writeUInt32LE(1, 72);
  end.writeUInt32LE(0x06054b50, 76);
  end.writeUInt16LE(ELSEWHERE_16, 84);
  end.writeUInt16LE(ELSEWHERE_16, 86);
  end.writeUInt32LE(ELSEWHERE_32, 88);
  end.writeUInt32LE(ELSEWHERE_32, 92);
  return Buffer.concat([records, end]);
}

function record(entry: ZipEntry): Buffer {
  const { name, method, crc, packed, size, offset } = entry;
  const bytes = Buffer.alloc(RECORD_BYTES);
  bytes.writeUInt32LE(0x02014b50, 0);
  bytes.writeUInt16LE((UNIX << 8) | ZIP64, 4);
  writeShared(bytes, 6, method, crc);
  bytes.writeUInt16LE(name.length, 28);
  bytes.writeUInt16LE(28, 30);
  bytes.writeUInt32LE(REGULAR_FILE, 38);
  bytes.writeUInt32LE(ELSEWHERE_32, 42);
  return Buffer.concat([bytes, Buffer.from(name, 'latin1'), zip64([size, packed, offset])]);
}

/** What a header and a record have in common: version, flags, method, date, checksum, and that the lengths are elsewhere. */
function writeShared(bytes: Buffer, at: number, method: ZipEntry['method'], crc: number): void {
  bytes.writeUInt16LE(ZIP64, at);
  bytes.writeUInt16LE(method === 'deflated' ? FOLLOWS : 0, at + 2);
  bytes.writeUInt16LE(method === 'deflated' ? 8 : 0, at + 4);
  bytes.writeUInt16LE(NO_DATE, at + 8);
  bytes.writeUInt32LE(crc, at + 10);
  bytes.writeUInt32LE(ELSEWHERE_32, at + 14);
  bytes.writeUInt32LE(ELSEWHERE_32, at + 18);
}

function zip64(lengths: readonly number[]): Buffer {
  const bytes = Buffer.alloc(4 + lengths.length * 8);
  bytes.writeUInt16LE(1, 0);
  bytes.writeUInt16LE(lengths.length * 8, 2);
  lengths.forEach((length, i) => bytes.writeBigUInt64LE(BigInt(length), 4 + i * 8));
  return bytes;
}

/** Where the directory of a package of that length begins, by its end; null for none that we wrote. */
export function directoryOffset(end: Buffer, length: number): number | null {
  if (end.length !== END_BYTES) return null;
  const offset = Number(end.readBigUInt64LE(48));
  const isThere = offset >= 0 && offset < length - END_BYTES && length - offset <= MAX_DIRECTORY_BYTES;
  return isThere ? offset : null;
}

/** How many bytes of the end of a package `directoryOffset` reads. */
export const DIRECTORY_END_BYTES = END_BYTES;

/**
 * The files that a directory, which begins at `offset`, is of. Null unless it is byte for byte what is written for these files, and
 * they follow each other from the first byte of the package on.
 */
export function readDirectory(bytes: Buffer, offset: number): ZipEntry[] | null {
  const entries: ZipEntry[] = [];
  let next = 0;
  let at = 0;
  for (; at < bytes.length - END_BYTES;) {
    if (at + RECORD_BYTES > bytes.length) return null;
    const length = bytes.readUInt16LE(at + 28);
    const lengths = at + RECORD_BYTES + length + 4;
    if (lengths + 24 > bytes.length) return null;
    const [size, packed] = [0, 8].map((i) => Number(bytes.readBigUInt64LE(lengths + i))) as [number, number];
    const entry: ZipEntry = {
      name: bytes.toString('latin1', at + RECORD_BYTES, lengths - 4),
      method: bytes.readUInt16LE(at + 10) === 8 ? 'deflated' : 'stored',
      crc: bytes.readUInt32LE(at + 16),
      packed,
      size,
      offset: next,
    };
    if (!Number.isSafeInteger(size) || !Number.isSafeInteger(packed)) return null;
    entries.push(entry);
    next += localHeader(entry).length + packed + descriptor(entry).length;
    at = lengths + 24;
  }
  return next === offset && directory(entries, offset).equals(bytes) ? entries : null;
}
