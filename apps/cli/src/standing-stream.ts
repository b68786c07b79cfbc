import { setTimeout as pause } from 'node:timers/promises';
import { SseParser } from '@haldir/mcp';

/** Before it is tried again, in ms: twice as long each time it came to nothing, and up to a half less, so that not all come at once. */
const [FIRST_PAUSE, MAX_PAUSE] = [1_000, 30_000];
/** Refusals that pass by themselves; after any other there is no such stream before something else came through. */
const MAY_PASS = [408, 429];

/**
 * The stream on which clients that shook hands are told what nobody asked for (`GET`, 2025-11-25, "Listening for Messages from the
 * Server"). It is opened anew when it breaks, and says then what was heard last, so that nothing that changed meanwhile goes unheard.
 * One that is refused is asked for again when a request has come through: it may have opened the session that was missing, and a
 * client that asks nothing opens none. What goes wrong with it is nobody's to know.
 */
export class StandingStream {
  private lastEventId = '';
  private isBegun = false;
  private readonly ending = new AbortController();
  /** A request has come through. */
  private wake = (): void => undefined;

  /**
   * @param headers of now
   * @param hear takes the data of each event
   */
  constructor(
    private readonly endpoint: URL,
    private readonly headers: () => Readonly<Record<string, string>>,
    private readonly hear: (data: string) => void,
  ) {}

  /** Says that a request came through: opens it, again where it was refused. It is one, however often that is said. */
  resume(): void {
    if (this.isBegun) return this.wake();
    this.isBegun = true;
    void this.stand(this.ending.signal);
  }

  /** For good. */
  end(): void {
    this.ending.abort();
  }

  private async stand(signal: AbortSignal): Promise<void> {
    let pauseMs = FIRST_PAUSE;
    while (!signal.aborted) {
      let isRefused = false;
      // Counts from here: it may come through before the refusal of what was asked for earlier does.
      const through = new Promise<void>((resolve) => (this.wake = resolve));
      try {
        const response = await fetch(this.endpoint, { headers: this.headersOfNow(), signal, redirect: 'manual' });
        const openedAt = performance.now();
        if (response.status === 200 && isEvents(response) && response.body) {
          // One that is cut off again and again is not asked for at once.
          await this.read(response.body).finally(() => {
            if (performance.now() - openedAt > MAX_PAUSE) pauseMs = FIRST_PAUSE;
          });
        } else {
          isRefused = response.status < 500 && !MAY_PASS.includes(response.status);
          await response.body?.cancel();
        }
      } catch {
        // Haldir is away; it was told so to whoever has asked something.
      }
      await pause(pauseMs * (1 - Math.random() / 2), undefined, { signal }).catch(() => undefined);
      pauseMs = Math.min(MAX_PAUSE, pauseMs * 2);
      if (isRefused) await through;
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
