import { BASE } from '../base.ts';
import { send } from './client.ts';

/** An event of a stream, as the HTML standard, "Server-sent events", has it. */
export interface StreamEvent {
  id: string;
  event: string;
  data: string;
}

/** The stream says something each 15 s; one that has been silent for longer than this is dead. */
const SILENT_MS = 40_000;
const AGAIN_MS = 1_000;
const AGAIN_MAX_MS = 15_000;
const RETRY_MAX_S = 300;
/** A stream that stood for so long was no mistake: the next try comes soon. */
const STEADY_MS = 30_000;

/** Reads a stream of UTF-8 to its end. An id that comes with no event is told as one without data: it is what to come back with. */
export async function* eventsOf(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<StreamEvent> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of chunks) {
    const blocks = (rest + decoder.decode(chunk, { stream: true })).split('\n\n');
    rest = blocks.pop() ?? '';
    for (const block of blocks) yield eventOf(block);
  }
}

function eventOf(block: string): StreamEvent {
  const event: StreamEvent = { id: '', event: '', data: '' };
  for (const line of block.split('\n')) {
    const colon = line.indexOf(':');
    const [name, value] = [line.slice(0, colon), line.slice(colon + 1).replace(/^ /, '')];
    if (name === 'id' || name === 'event') event[name] = value;
    else if (name === 'data') event.data += (event.data === '' ? '' : '\n') + value;
  }
  return event;
}

/**
 * Follows the log until the signal: what is lost on the way is taken up again after the last that was heard.
 *
 * @param query filters of `GET /v1/events`
 * @param onEntry told of each entry, and once whenever the stream begins: something may have come before it
 * @param onStanding told whether the stream stands, whenever that changes
 */
export async function followLog(
  query: Record<string, string>,
  onEntry: () => void,
  onStanding: (stands: boolean) => void,
  signal: AbortSignal,
): Promise<void> {
  let last = '';
  let againMs = AGAIN_MS;
  while (!signal.aborted) {
    const silence = new AbortController();
    let stoodSince = Infinity;
    let toldMs = 0;
    let timer = setTimeout(() => silence.abort(), SILENT_MS);
    try {
      const request = new Request(`${BASE}/v1/events?${new URLSearchParams(query).toString()}`, {
        headers: last === '' ? {} : { 'last-event-id': last },
        signal,
      });
      const response = await send(request, silence.signal);
      if (response.status === 401) return;
      toldMs = retryAfterMs(response);
      if (response.ok && response.body) {
        onStanding(true);
        onEntry();
        stoodSince = performance.now();
        for await (const { id, event } of eventsOf(chunksOf(response.body))) {
          clearTimeout(timer);
          timer = setTimeout(() => silence.abort(), SILENT_MS);
          if (id !== '') last = id;
          if (event !== '') onEntry();
        }
      }
    } catch {
      // It is begun again.
    }
    clearTimeout(timer);
    if (signal.aborted) return;
    onStanding(false);
    if (performance.now() - stoodSince >= STEADY_MS) againMs = AGAIN_MS;
    // Not all pages at once, after a restart of Haldir.
    const waitMs = Math.max(againMs, toldMs) * (1 + Math.random() / 2);
    await new Promise((resolve) => setTimeout(resolve, waitMs));
    againMs = Math.min(againMs * 2, AGAIN_MAX_MS);
  }
}

/** What a refusal says of when to come again, in seconds; Haldir never says it as a date. */
function retryAfterMs({ ok, headers }: Response): number {
  const seconds = Number(headers.get('retry-after'));
  return !ok && seconds > 0 ? Math.min(seconds, RETRY_MAX_S) * 1000 : 0;
}

/** Not every browser iterates over streams. */
async function* chunksOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  const reader = stream.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } finally {
    reader.releaseLock();
  }
}
