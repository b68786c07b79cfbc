import { createHmac, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { Webhook } from 'standardwebhooks';

/** One delivery as it arrived. */
export interface Arrival {
  /** The path it was sent to, without the slash. */
  path: string;
  webhookId: number;
  /** The webhook-id header: the event's id. */
  id: string;
  attempt: number;
  raw: string;
  body: Record<string, unknown>;
  headers: IncomingHttpHeaders;
  /** `performance.now()` of its last byte. */
  at: number;
}

/** A status, a status with headers, or null for no answer at all. */
export type ReceiverAnswer = number | { status: number; headers: Record<string, string> } | null;

/** A webhook receiver on loopback that checks every signature it is sent, in the standard's way and the legacy one. */
export interface Receiver {
  /** Where to register `path`. */
  url(path: string): string;
  readonly arrivals: Arrival[];
  at(path: string): Arrival[];
  /** The secrets that must each have signed what arrives for a webhook. */
  expectSecrets(webhookId: number, secrets: readonly [current: string, previous?: string]): void;
  /** What arrives for the webhook is a message of a chat, signed as ever, and not the event itself. */
  expectMessages(webhookId: number): void;
  /** How to answer on `path`: 204 unless told otherwise. */
  answer(path: string, how: (arrival: Arrival) => ReceiverAnswer | Promise<ReceiverAnswer>): void;
  /** What was wrong with deliveries so far; empty when nothing was. */
  readonly faults: string[];
  stop(): Promise<void>;
}

export async function startReceiver(): Promise<Receiver> {
  const arrivals: Arrival[] = [];
  const faults: string[] = [];
  const secrets = new Map<number, readonly [string, string?]>();
  const chats = new Set<number>();
  const answers = new Map<string, (arrival: Arrival) => ReceiverAnswer | Promise<ReceiverAnswer>>();
  const receive = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const raw = await text(request);
    const arrival = toArrival(request, raw);
    arrivals.push(arrival);
    const { webhookId } = arrival;
    faults.push(...faultsOf(request, arrival, secrets.get(webhookId), chats.has(webhookId)));
    const how = answers.get(arrival.path);
    const answer = how ? await how(arrival) : 204;
    if (answer === null) return;
    const { status, headers } = typeof answer === 'number' ? { status: answer, headers: {} } : answer;
    response.writeHead(status, headers).end();
  };
  const server = createServer((request, response) => {
    receive(request, response).catch((error: unknown) => {
      // A worker that was killed hangs up half way.
      if (!request.destroyed || request.complete) faults.push(String(error));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: (path) => `http://127.0.0.1:${port}/${path}`,
    arrivals,
    at: (path) => arrivals.filter((arrival) => arrival.path === path),
    expectSecrets: (webhookId, expected) => secrets.set(webhookId, expected),
    expectMessages: (webhookId) => chats.add(webhookId),
    answer: (path, how) => answers.set(path, how),
    faults,
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function toArrival({ url, headers }: IncomingMessage, raw: string): Arrival {
  return {
    path: (url ?? '/').slice(1),
    webhookId: Number(headers['x-haldir-webhook-id']),
    id: String(headers['webhook-id']),
    attempt: Number(headers['x-haldir-delivery-attempt']),
    raw,
    body: JSON.parse(raw) as Record<string, unknown>,
    headers,
    at: performance.now(),
  };
}

function faultsOf(
  { method }: IncomingMessage,
  { headers, raw, body, id, path }: Arrival,
  secrets: readonly [current: string, previous?: string] | undefined,
  isChat: boolean,
): string[] {
  const faults: string[] = [];
  const check = (holds: boolean, fault: string): void => {
    if (!holds) faults.push(`${path} ${id}: ${fault}`);
  };
  const [timestamp, event] = [String(headers['webhook-timestamp']), String(headers['x-haldir-event'])];
  check(method === 'POST' && headers['content-type'] === 'application/json', 'is no POST of JSON');
  check(/^evt_[0-9a-z]+$/.test(id), 'webhook-id is no event’s id');
  check(headers['x-haldir-timestamp'] === timestamp, 'the two timestamps differ');
  if (!isChat) {
    check(body['event_id'] === id, 'webhook-id is not the event’s id');
    check(body['event'] === event && body['type'] === event, 'X-Haldir-Event is not the event’s type');
    check(body['source'] === 'haldir' && typeof body['timestamp'] === 'number', 'the envelope is incomplete');
  }
  if (!secrets) return [...faults, `${path} ${id}: came for a webhook nobody registered`];
  const signatures = String(headers['webhook-signature']).split(' ');
  check(signatures.length === secrets.length, `has ${signatures.length} signatures`);
  secrets.forEach((secret = '', i) => {
    const signed = { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signatures[i] ?? '' };
    try {
      new Webhook(secret).verify(raw, signed);
    } catch (error) {
      check(false, `standardwebhooks refuses signature ${i}: ${String(error)}`);
    }
    const legacy = headers[i === 0 ? 'x-haldir-signature' : 'x-haldir-signature-prev'];
    const expected = `sha256=${createHmac('sha256', secret).update(`${timestamp}.${raw}`).digest('hex')}`;
    check(isSame(String(legacy), expected), `legacy signature ${i} does not fit`);
  });
  return faults;
}

function isSame(one: string, other: string): boolean {
  return one.length === other.length && timingSafeEqual(Buffer.from(one), Buffer.from(other));
}
