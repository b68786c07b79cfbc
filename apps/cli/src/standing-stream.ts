import { setTimeout as pause } from 'node:timers/promises';
import { SseParser } from '@haldir/mcp';

/** Before it is tried again, in ms: twice as long each time it came to nothing, and up to a half less, so that not all come at once. */
const [FIRST_PAUSE, MAX_PAUSE] = [1_000, 30_000];
/** Refusals that may pass; after any other 4xx there is no such stream. */
const MAY_PASS = [408, 429];

/**
 * The stream on which clients that shook hands are told what nobody asked for (`GET`, 2025-11-25, "Listening for Messages from the
 * Server"). It is opened anew when it breaks, and says then what was heard last, so that nothing that changed meanwhile goes unheard.
 * What goes wrong with it is nobody's to know.
 */
export class StandingStream {
  private lastEventId = '';
  private open: AbortController | null = null;
  private isOver = false;

  /**
   * @param headers of now
   * @param hear takes the data of each event
   */
  constructor(
    private readonly endpoint: URL,
    private readonly headers: () => Readonly<Record<string, string>>,
    private readonly hear: (data: string) => void,
  ) {}

  /** Opens it, in place of one that was open. */
  begin(): void {
    this.open?.abort();
    if (this.isOver) return;
    this.open = new AbortController();
    void this.stand(this.open.signal);
  }

  /** Opens one that was opened before, whatever has become of it. */
  beginAgain(): void {
    if (this.open) this.begin();
  }

  /** For good. */
  end(): void {
    this.isOver = true;
    this.open?.abort();
  }

  private async stand(signal: AbortSignal): Promise<void> {
    let pauseMs = FIRST_PAUSE;
    while (!signal.aborted) {
      try {
        const response = await fetch(this.endpoint, { headers: this.headersOfNow(), signal });
        const openedAt = performance.now();
        if (response.status === 200 && isEvents(response) && response.body) {
          // One that is cut off again and again is not asked for at once.
          await this.read(response.body).finally(() => {
            if (performance.now() - openedAt > MAX_PAUSE) pauseMs = FIRST_PAUSE;
          });
        } else {
          await response.body?.cancel();
          if (response.status < 500 && !MAY_PASS.includes(response.status)) return;
        }
      } catch {
        // Haldir is away; it was told so to whoever has asked something.
      }
      await pause(pauseMs * (1 - Math.random() / 2), undefined, { signal }).catch(() => undefined);
      pauseMs = Math.min(MAX_PAUSE, pauseMs * 2);
    }
  }

  private headersOfNow(): Record<string, string> {
    const { lastEventId } = this;
    const accept = { accept: 'text/event-stream' };
    return { ...this.headers(), ...accept, ...(lastEventId === '' ? {} : { 'last-event-id': lastEventId }) };
  }

  private async read(body: AsyncIterable<Uint8Array>): Promise<void> {
    const parser = new SseParser();
    parser.lastEventId = this.lastEventId;
    for await (const chunk of body) {
      for (const { data } of parser.push(chunk)) this.hear(data);
      this.lastEventId = parser.lastEventId;
    }
  }
}

function isEvents({ headers }: Response): boolean {
  return headers.get('content-type')?.startsWith('text/event-stream') ?? false;
}
