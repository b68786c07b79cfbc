import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { Notices } from '@haldir/database';
import { Log } from '@haldir/runtime';
import { keyOfRequest, type McpParty } from './protocol/mcp-session.js';
import { type RpcRequest } from './protocol/messages.js';

const CHANNEL = 'haldir_mcp_cancelled';

/** A request that a client of the older revisions may cancel, by its id. */
interface Cancellable {
  by: McpParty;
  id: RpcRequest['id'];
}

/**
 * Requests under way that are broken off when their client says so (`notifications/cancelled`), which it may say to another
 * process. One that comes too late, or that nobody hears, changes nothing: the specification lets it.
 */
@Injectable()
export class Cancellations implements OnApplicationBootstrap {
  private readonly underWay = new Map<string, AbortController>();

  constructor(
    private readonly notices: Notices,
    private readonly log: Log,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    await this.notices.listen(CHANNEL, (key) => this.underWay.get(key)?.abort());
  }

  /** Runs `work` with a signal that is aborted when the request is cancelled. Of requests that share an id, the latest is. */
  async during<T>(request: Cancellable, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const key = keyOfRequest(request.by, request.id);
    const controller = new AbortController();
    this.underWay.set(key, controller);
    try {
      return await work(controller.signal);
    } finally {
      if (this.underWay.get(key) === controller) this.underWay.delete(key);
    }
  }

  /** Breaks the request off, wherever it is under way. */
  async cancel(request: Cancellable): Promise<void> {
    const key = keyOfRequest(request.by, request.id);
    const here = this.underWay.get(key);
    if (here) here.abort();
    else {
      await this.notices.send(CHANNEL, key).catch((error: unknown) => {
        this.log.warn({ event: 'mcp.cancel_failed', reason: (error as Error).message });
      });
    }
  }
}
