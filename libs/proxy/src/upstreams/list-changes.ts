import { setTimeout as pause } from 'node:timers/promises';
import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { Clock } from '@haldir/kernel';
import { Log } from '@haldir/runtime';
import { type UpstreamAddress } from './upstream-address.js';
import { UpstreamRepository } from './upstream.repository.js';

/** What is said within this time is about one change. */
const GATHER_MS = 250;
/** An upstream that says it without end is written down no more often. */
const EVERY_MS = 1_000;

/** Has upstreams checked that said that their lists have changed (`list_changed`), however often they say so. */
@Injectable()
export class ListChanges implements OnApplicationShutdown {
  /** By upstream, whether it has said so again since that was written down last. */
  private readonly said = new Map<string, { again: boolean }>();
  private readonly watchers: (() => void)[] = [];
  private readonly over = new AbortController();

  constructor(
    private readonly upstreams: UpstreamRepository,
    private readonly log: Log,
    private readonly clock: Clock,
  ) {}

  /** Never waits and never fails: what is lost is found by the next check on schedule. */
  note(address: UpstreamAddress): void {
    const key = `${address.tenantId}/${address.name}/${address.revision}`;
    const before = this.said.get(key);
    if (before) {
      before.again = true;
      return;
    }
    const said = { again: false };
    this.said.set(key, said);
    void this.write(address, said).finally(() => this.said.delete(key));
  }

  /** Calls `watcher` whenever an upstream has become due. */
  watch(watcher: () => void): void {
    this.watchers.push(watcher);
  }

  onApplicationShutdown(): void {
    this.over.abort();
  }

  private async write(address: UpstreamAddress, said: { again: boolean }): Promise<void> {
    const options = { signal: this.over.signal, ref: false };
    try {
      await pause(GATHER_MS, undefined, options);
      do {
        said.again = false;
        await this.upstreams.noteChange(address, this.clock.now());
        for (const watcher of this.watchers) watcher();
        await pause(EVERY_MS, undefined, options);
      } while (said.again);
    } catch (error) {
      if (this.over.signal.aborted) return;
      this.log.warn({ event: 'proxy.change_lost', upstream: address.name, reason: (error as Error).message });
    }
  }
}
