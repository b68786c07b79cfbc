import { withDeadline } from '@haldir/kernel';
import { type JsonRpcTransport } from './json-rpc-transport.js';
import { type UpstreamEra } from './mcp-protocol.js';
import { detectEra } from './protocol-detection.js';
import { unreachable, UpstreamUnreachable } from './mcp-client.errors.js';

/** For how long someone waits at most. */
interface Patience {
  readonly deadlineAt: number;
  readonly signal?: AbortSignal | undefined;
}

/** A silent upstream holds up those who ask how to speak to it no longer than this. */
const MAX_DETECTION_MS = 10_000;

/** How one upstream wants to be spoken to: found out once for all calls that need it, and again once it is forgotten. */
export class NegotiatedProtocol {
  private known: UpstreamEra | null = null;
  private detecting: Promise<UpstreamEra> | null = null;
  /** The credentials that the detection under way began with. */
  private detectingAs = '';

  constructor(
    private readonly transport: JsonRpcTransport,
    private readonly deadlineMs: number,
  ) {}

  /** Null while it is not known. */
  get current(): UpstreamEra | null {
    return this.known;
  }

  /** @throws UpstreamUnreachable */
  async find(patience: Patience): Promise<UpstreamEra> {
    return this.known ?? (await this.detected(patience));
  }

  /** Something has answered that way: plain JSON-RPC is only assumed until then. */
  confirm(era: UpstreamEra): void {
    this.known ??= era;
  }

  /** Forgets `era` unless a concurrent call has replaced it already. */
  forget(era: UpstreamEra): void {
    if (this.known === era) this.known = null;
  }

  /** One detection at a time, shared by all calls that wait for it; each waits no longer than its own deadline. */
  private detected(patience: Patience): Promise<UpstreamEra> {
    // One that began with credentials that are no longer those of now may be refused for them.
    const shown = JSON.stringify(this.transport.headers);
    if (this.detectingAs !== shown) this.detecting = null;
    if (!this.detecting) {
      const detecting = detectEra(this.transport, performance.now() + Math.min(this.deadlineMs, MAX_DETECTION_MS))
        .then((era) => {
          if (era.kind !== 'plain') this.known = era;
          return era;
        })
        .catch((error: unknown) => {
          throw unreachable(error);
        })
        .finally(() => {
          if (this.detecting === detecting) this.detecting = null;
        });
      this.detecting = detecting;
      this.detectingAs = shown;
    }
    return withDeadline(this.detecting, {
      ms: patience.deadlineAt - performance.now(),
      signal: patience.signal,
      error: (why) => new UpstreamUnreachable(why, { sent: false }),
    });
  }
}
