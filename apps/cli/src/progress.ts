import { ProgressBar } from './progress-bar.js';

const LINE_EVERY_MS = 5000;

/** How far along something is, on standard error: a bar for whoever looks, a line now and then for a log. */
export class Progress {
  private readonly bar: ProgressBar;
  private lineAt = performance.now();

  constructor(
    private readonly total: number,
    private readonly unit: string,
    private readonly stream: NodeJS.WriteStream = process.stderr,
  ) {
    this.bar = new ProgressBar(total, stream);
  }

  show(done: number): void {
    const note = `${done} of ${Math.max(done, this.total)} ${this.unit}`;
    this.bar.show(done, note);
    if (this.stream.isTTY || performance.now() - this.lineAt < LINE_EVERY_MS) return;
    this.lineAt = performance.now();
    this.stream.write(`${note}\n`);
  }

  end(): void {
    this.bar.end();
  }
}
