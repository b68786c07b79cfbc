import { type EgressStream } from '@haldir/egress';
import { isObject, type JsonObject, METHOD_NOT_FOUND, type SseParser } from '@haldir/mcp';
import { findAnswer, heard, NoJson } from './json-rpc-response.js';

/** What is done with what comes before the answer. */
export interface Incoming {
  /** Takes out of each message of the upstream what nobody may see. */
  readonly mask?: (message: unknown) => Promise<unknown>;
  readonly onNotification: (notification: JsonObject) => void;
  /** Answers a request of the upstream; without it, such requests are not answered. */
  readonly onRequest?: (request: JsonObject) => void;
}

/** After its answer, an event stream may end by itself for so long, which keeps the connection usable. */
const LINGER_MS = 250;
/** Requests of the upstream (`ping`, …) that are answered while one call waits. */
export const MAX_REPLIES = 16;

/**
 * Reads an event stream until the answer to `id`; null when it ends without. What is read is taken off `room`, in bytes.
 *
 * @throws EgressFailed, UpstreamUnreachable
 */
export async function answerIn(
  stream: EgressStream,
  parser: SseParser,
  id: number,
  incoming: Incoming,
  room = { bytes: Infinity },
): Promise<JsonObject | null> {
  const chunks = stream.body[Symbol.asyncIterator]();
  let replies = 0;
  for (;;) {
    const { value, done } = await chunks.next();
    if (done) return null;
    room.bytes -= value.length;
    for (const { type, data } of parser.push(value)) {
      // Events of other types are not of MCP, and texts that are no JSON say nothing: both are used to keep a stream alive.
      if (type !== 'message' || data === '') continue;
      const message = await heard(data, incoming);
      if (message instanceof NoJson) continue;
      const answer = findAnswer(message, id);
      if (answer) {
        linger(stream);
        return answer;
      }
      if (!isObject(message) || typeof message['method'] !== 'string') continue;
      if (!('id' in message)) {
        incoming.onNotification(message);
      } else if (replies < MAX_REPLIES) {
        replies++;
        incoming.onRequest?.(message);
      }
    }
  }
}

/** To a request of the upstream: to a ping as the specification asks, to anything else "method not found". */
export function replyTo(request: JsonObject): JsonObject {
  const outcome =
    request['method'] === 'ping' ? { result: {} } : { error: { code: METHOD_NOT_FOUND, message: 'Method not found' } };
  return { id: request['id'], ...outcome };
}

export function linger(stream: EgressStream): void {
  const timer = setTimeout(() => {
    stream.cancel();
  }, LINGER_MS).unref();
  stream.bytes().then(
    () => {
      clearTimeout(timer);
    },
    () => {
      clearTimeout(timer);
    },
  );
}
