import { type Transform } from 'node:stream';
import { constants, createBrotliDecompress, createGunzip, createInflate, createInflateRaw } from 'node:zlib';

export type ContentEncoding = 'gzip' | 'deflate' | 'br';

/** By their registered names (HTTP Content Coding Registry), what may be said of an encoding that is not read. */
const NAMED = new Set(['aes128gcm', 'compress', 'dcb', 'dcz', 'exi', 'pack200-gzip', 'zstd']);
const READ: Readonly<Record<string, ContentEncoding>> = {
  gzip: 'gzip',
  'x-gzip': 'gzip',
  deflate: 'deflate',
  br: 'br',
};

/**
 * How the body of an answer is encoded, by its `content-encoding`; null when it is as it is. An `unread` one is named where its name is a registered one: any
 * other text is the peer's.
 */
export function contentEncoding(value: string | string[] | undefined): ContentEncoding | { unread: string } | null {
  const names = (Array.isArray(value) ? value.join(',') : (value ?? ''))
    .split(',', 8)
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name !== '' && name !== 'identity');
  const [name] = names;
  if (name === undefined) return null;
  if (names.length > 1) return { unread: 'more than one' };
  return READ[name] ?? { unread: NAMED.has(name) ? name : 'one that is not registered' };
}

/** What becomes of what is decoded. */
export interface DecodedTo {
  data(chunk: Buffer): void;
  end(): void;
  /** The bytes are not what their encoding says. */
  error(error: Error): void;
}

/** Piece by piece, as it comes: a stream of events is not held up until its end. Off the event loop, in the order it was given. */
export class ContentDecoder {
  private stream: Transform | null = null;
  private over = false;

  constructor(
    private readonly encoding: ContentEncoding,
    private readonly to: DecodedTo,
  ) {}

  write(chunk: Buffer): void {
    if (this.over || chunk.length === 0) return;
    this.stream ??= this.begin(chunk[0] ?? 0);
    this.stream.write(chunk);
  }

  /** `to.end` follows once everything is decoded; at once for an empty body. */
  end(): void {
    if (this.over) return;
    if (this.stream) this.stream.end();
    else this.to.end();
  }

  /** Nothing is told any more, and what is not decoded yet stays so. */
  stop(): void {
    this.over = true;
    this.stream?.destroy();
  }

  private begin(first: number): Transform {
    const stream = decoderFor(this.encoding, first);
    stream.on('data', (chunk: Buffer) => {
      if (!this.over) this.to.data(chunk);
    });
    stream.on('end', () => {
      if (!this.over) this.to.end();
    });
    stream.on('error', (error) => {
      if (!this.over) this.to.error(error);
    });
    return stream;
  }
}

/** What is cut off is decoded as far as it goes: whoever reads it sees that it is not whole. */
function decoderFor(encoding: ContentEncoding, first: number): Transform {
  const { Z_SYNC_FLUSH, BROTLI_OPERATION_FLUSH } = constants;
  const flush = { flush: Z_SYNC_FLUSH, finishFlush: Z_SYNC_FLUSH };
  if (encoding === 'br')
    return createBrotliDecompress({ flush: BROTLI_OPERATION_FLUSH, finishFlush: BROTLI_OPERATION_FLUSH });
  if (encoding === 'gzip') return createGunzip(flush);
  // By RFC 9110 deflate comes in a zlib wrapper; some servers send it without.
  return (first & 0x0f) === 0x08 ? createInflate(flush) : createInflateRaw(flush);
}
