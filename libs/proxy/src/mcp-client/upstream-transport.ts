import { EventStreamTransport } from './event-stream-transport.js';
import { JsonRpcTransport } from './json-rpc-transport.js';
import { type ProtocolRevision, streamOf } from './mcp-protocol.js';
import { type Answered, type Mask, type SentRequest, type Transport, type TransportOptions } from './transport.js';

/** Carries messages to one upstream over the transport that its revision is spoken over. */
export class UpstreamTransport implements Transport {
  private readonly http: JsonRpcTransport;
  private stream: EventStreamTransport | null = null;
  private closings = 0;

  constructor(private readonly options: TransportOptions) {
    this.http = new JsonRpcTransport(options);
  }

  /** Sent with every request, for example an authorization. */
  get headers(): Readonly<Record<string, string>> {
    return this.http.headers;
  }

  set headers(headers: Readonly<Record<string, string>>) {
    this.http.headers = headers;
  }

  set masker(masker: Mask | null) {
    this.http.masker = masker;
  }

  ask(asked: SentRequest): Promise<Answered> {
    return this.over(asked.revision).ask(asked);
  }

  hear(verb: 'GET' | 'POST', asked: SentRequest): Promise<boolean> {
    return this.over(asked.revision).hear(verb, asked);
  }

  notify(revision: ProtocolRevision, method: string, deadlineAt: number): Promise<void> {
    return this.over(revision).notify(revision, method, deadlineAt);
  }

  endSession(revision: ProtocolRevision): void {
    this.over(revision).endSession(revision);
  }

  delete(revision: ProtocolRevision): Promise<void> {
    return this.over(revision).delete(revision);
  }

  /**
   * Opens the event stream of an upstream of 2024-11-05, in place of the one before; null when there is none.
   *
   * @throws UpstreamUnreachable when it may not be spoken to over that stream
   */
  async openStream(deadlineAt: number): Promise<EventStreamTransport | null> {
    const { closings } = this;
    const stream = await EventStreamTransport.open(this.options, this.http, deadlineAt);
    if (!stream) return null;
    if (closings !== this.closings) {
      stream.close();
      return null;
    }
    this.stream?.retire();
    this.stream = stream;
    return stream;
  }

  /** Closes the event stream; another request opens another. */
  close(): void {
    this.closings++;
    this.stream?.close();
    this.stream = null;
  }

  private over(revision: ProtocolRevision): Transport {
    const stream = streamOf(revision);
    return stream instanceof EventStreamTransport ? stream : this.http;
  }
}
