import { writeSync } from 'node:fs';
import { destination } from 'pino';

/** Lines are passed on once there are so many characters of them, or after so long. */
const PASS_CHARS = 4096;
const PASS_MS = 250;
/** So much is kept for a reader that does not read; what comes then is dropped. */
const MAX_BYTES = 16 * 1024 * 1024;
/** How often, and after how long, what is left at the end of the process is tried again on a reader that is not ready. */
const REST_TRIES = 100;
const REST_PAUSE_MS = 10;

/** Lines to a file descriptor, some at a time, without waiting for its reader; and what is left when the process ends. */
export class LineOutput {
  private lines = '';
  private isWriting = false;
  /** Whether nobody reads them any more, and nobody will. */
  private isGone = false;
  private readonly waiting = new Set<() => void>();
  private readonly stream;

  constructor(private readonly fd: number) {
    this.stream = destination({ fd, sync: false, minLength: 0, maxLength: MAX_BYTES });
    // At the end of the process it would try for ever where nobody reads any more, and the process would never end.
    this.stream.flushSync = () => undefined;
    this.stream.on('drain', () => this.written());
    this.stream.on('error', (error: { code?: unknown }) => {
      this.isGone ||= error.code === 'EPIPE';
      this.written();
    });
    setInterval(() => this.pass(), PASS_MS).unref();
    process.once('exit', () => this.writeRest());
  }

  write(line: string): void {
    this.lines += line;
    if (this.lines.length >= PASS_CHARS) this.pass();
  }

  /** @param done called once, when all was written, or there is nobody to read it; never while a reader does not read */
  flush(done: () => void): void {
    this.pass();
    if (this.isWriting) this.waiting.add(done);
    else done();
  }

  private pass(): void {
    if (this.lines === '') return;
    const { lines } = this;
    this.lines = '';
    if (this.isGone) return;
    this.isWriting = true;
    this.stream.write(lines);
  }

  private written(): void {
    this.isWriting = false;
    for (const done of this.waiting) done();
    this.waiting.clear();
  }

  private writeRest(): void {
    let rest = Buffer.from(this.lines);
    for (let tries = 0; rest.length > 0 && tries < REST_TRIES; tries++) {
      try {
        rest = rest.subarray(writeSync(this.fd, rest));
      } catch (error) {
        if ((error as { code?: unknown }).code !== 'EAGAIN') return;
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, REST_PAUSE_MS);
      }
    }
  }
}
