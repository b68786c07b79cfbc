const WIDTH = 30;
const EVERY_MS = 100;

/** A line on standard error that shows how far along something is; silent where nobody looks at it. */
export class ProgressBar {
  private shownAt = 0;
  private isShown = false;

  /** @param total null when it is not known */
  constructor(
    private readonly total: number | null,
    private readonly stream: NodeJS.WriteStream = process.stderr,
  ) {}

  show(done: number, note: string): void {
    if (!this.stream.isTTY) return;
    const now = performance.now();
    if (now - this.shownAt < EVERY_MS) return;
    this.shownAt = now;
    this.isShown = true;
    this.stream.write(`\r${this.bar(done)}${note} `);
  }

  /** Takes the line away. */
  end(): void {
    if (this.isShown) this.stream.write(`\r\x1b[K`);
    this.isShown = false;
  }

  private bar(done: number): string {
    if (this.total === null || this.total === 0) return '';
    const share = Math.min(1, done / this.total);
    const filled = Math.round(share * WIDTH);
    return `[${'#'.repeat(filled)}${' '.repeat(WIDTH - filled)}] ${String(Math.floor(share * 100)).padStart(3)} %  `;
  }
}
