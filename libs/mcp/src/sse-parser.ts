/** One event of a `text/event-stream`. */
export interface SseEvent {
  /** `message` unless the stream names another. */
  readonly type: string;
  readonly data: string;
}

/**
 * Reads a `text/event-stream` (WHATWG HTML, 9.2.6) piece by piece, wherever the pieces are cut: inside a character, a line
 * ending or a field. Work is linear in the bytes given; what is held back is at most the event under way.
 */
export class SseParser {
  /** The last `id` the stream has given; empty when none. */
  lastEventId = '';
  /** The reconnection time the stream asks for; null when it has not. */
  retryMs: number | null = null;

  private readonly decoder = new TextDecoder();
  private line: string[] = [];
  private data: string[] = [];
  private type = '';
  private afterCr = false;

  /** The events that `chunk` completes. */
  push(chunk: Uint8Array): SseEvent[] {
    const text = this.decoder.decode(chunk, { stream: true });
    const events: SseEvent[] = [];
    let start = 0;
    if (this.afterCr && text.length > 0) {
      this.afterCr = false;
      if (text.startsWith('\n')) start = 1;
    }
    for (let i = start; i < text.length; i++) {
      const char = text.charCodeAt(i);
      if (char !== 10 && char !== 13) continue;
      this.line.push(text.slice(start, i));
      this.endLine(events);
      if (char === 13) {
        if (i + 1 === text.length) this.afterCr = true;
        else if (text.charCodeAt(i + 1) === 10) i++;
      }
      start = i + 1;
    }
    if (start < text.length) this.line.push(text.slice(start));
    return events;
  }

  private endLine(events: SseEvent[]): void {
    const line = this.line.length === 1 ? (this.line[0] ?? '') : this.line.join('');
    this.line = [];
    if (line === '') {
      if (this.data.length > 0) events.push({ type: this.type || 'message', data: this.data.join('\n') });
      this.data = [];
      this.type = '';
      return;
    }
    const colon = line.indexOf(':');
    if (colon === 0) return;
    const field = colon === -1 ? line : line.slice(0, colon);
    const value = colon === -1 ? '' : line.slice(line.charCodeAt(colon + 1) === 32 ? colon + 2 : colon + 1);
    if (field === 'data') this.data.push(value);
    else if (field === 'event') this.type = value;
    else if (field === 'id' && !value.includes('\0')) this.lastEventId = value;
    else if (field === 'retry' && /^\d{1,9}$/.test(value)) this.retryMs = Number(value);
  }
}
