import { withDeadline } from '@haldir/kernel';
import { type JsonRpcTransport } from './json-rpc-transport.js';
import { type ProtocolRevision } from './mcp-protocol.js';
import { answersPing, detectRevision } from './protocol-detection.js';
import { unreachable, UpstreamUnreachable } from './mcp-client.errors.js';

/** For how long someone waits at most. */
interface Deadline {
  readonly deadlineAt: number;
  readonly signal?: AbortSignal | undefined;
  /** For finding out, of an upstream that has a time of its own for that. */
  readonly detectionMs?: number | undefined;
}

/** A silent upstream holds up those who ask how to speak to it no longer than this. */
const MAX_DETECTION_MS = 10_000;

/** How one upstream wants to be spoken to: found out once for all calls that need it, and again once it is forgotten. */
export class NegotiatedProtocol {
  private known: ProtocolRevision | null = null;
  /** What was spoken until it was forgotten, or doubted: then it may go on. */
  private before: { revision: ProtocolRevision; mayGoOn: boolean } | null = null;
  private detecting: Promise<ProtocolRevision> | null = null;
  /** The credentials that the detection under way began with. */
  private detectingAs = '';
  /** The upstream did not bear the question of the stateless revision: it is not asked again before it has shown to be another. */
  private mayProbe = true;

  constructor(
    private readonly transport: JsonRpcTransport,
    private readonly deadlineMs: number,
  ) {}

  /** Null while it is not known. */
  get current(): ProtocolRevision | null {
    return this.known;
  }

  /** @throws UpstreamUnreachable */
  async find(deadline: Deadline): Promise<ProtocolRevision> {
    return this.known ?? (await this.detected(deadline));
  }

  /** Something has answered that way: plain JSON-RPC is only assumed until then. */
  confirm(revision: ProtocolRevision): void {
    this.known ??= revision;
  }

  /** Forgets `revision` unless a concurrent call has replaced it already. */
  forget(revision: ProtocolRevision): void {
    this.end(revision, false);
  }

  /** Its session may be over: whoever asks next makes sure, and begins another where it is. */
  doubt(revision: ProtocolRevision): void {
    this.end(revision, true);
  }

  private end(revision: ProtocolRevision, mayGoOn: boolean): void {
    if (this.known === revision) {
      this.known = null;
      this.before = { revision, mayGoOn };
    } else if (!mayGoOn && this.before?.revision === revision) this.before = { revision, mayGoOn };
  }

  /** What goes on, or is found out anew; what was before stays known while neither can be told. */
  private async detect(deadlineAt: number): Promise<ProtocolRevision> {
    const { before } = this;
    if (before?.mayGoOn && (await answersPing(this.transport, before.revision, deadlineAt))) return before.revision;
    const probe = { isAllowed: this.mayProbe, hasFailed: () => void (this.mayProbe = false) };
    return detectRevision(this.transport, deadlineAt, before?.revision ?? null, probe);
  }

  /** One detection at a time, shared by all calls that wait for it; each waits no longer than its own deadline. */
  private detected(deadline: Deadline): Promise<ProtocolRevision> {
    // One that began with credentials that are no longer those of now may be refused for them.
    const shown = JSON.stringify(this.transport.headers);
    if (this.detectingAs !== shown) this.detecting = null;
    if (!this.detecting) {
      const ms = deadline.detectionMs ?? Math.min(this.deadlineMs, MAX_DETECTION_MS);
      const detecting = this.detect(performance.now() + ms)
        .then((revision) => {
          this.before = null;
          if (revision.kind !== 'plain') this.known = revision;
          else this.mayProbe = true;
          return revision;
        })
        .catch((error: unknown) => {
          throw explained(unreachable(error), deadline.detectionMs === undefined ? ms : null);
        })
        .finally(() => {
          if (this.detecting === detecting) this.detecting = null;
        });
      this.detecting = detecting;
      this.detectingAs = shown;
    }
    return withDeadline(this.detecting, {
      ms: deadline.deadlineAt - performance.now(),
      signal: deadline.signal,
      error: (why) => new UpstreamUnreachable(why, { sent: false }),
    });
  }
}

/** @param ms how long there was where the upstream has no time of its own */
function explained(error: unknown, ms: number | null): unknown {
  if (ms === null || !(error instanceof UpstreamUnreachable) || error.reason !== 'timeout') return error;
  return error.with(`within ${ms / 1000} s, for which the upstream can have a timeout of its own`);
}
