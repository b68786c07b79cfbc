import { type BeforeApplicationShutdown, Injectable } from '@nestjs/common';
import { Log } from '@haldir/runtime';
import { type ApprovalStatus } from './approval-request.entity.js';
import { ApprovalRequestRepository } from './approval-request.repository.js';

interface Waiting {
  tenantId: string;
  id: string;
  end: (status: ApprovalStatus) => void;
}

const LOOK_EVERY_MS = 300;
/** One more, of all or of one tenant, which leaves room for others, is told at once that nothing is decided yet. */
const MAX_WAITING = 5_000;
const MAX_OF_TENANT = 1_000;

/** Waits for decisions, made on any process: all that wait in this one share a query every 300 ms. */
@Injectable()
export class ApprovalWaits implements BeforeApplicationShutdown {
  private readonly waiting = new Set<Waiting>();
  private timer: NodeJS.Timeout | null = null;
  private ending = false;

  constructor(
    private readonly requests: ApprovalRequestRepository,
    private readonly log: Log,
  ) {}

  /** The status once it is decided or expired; `pending` when `ms` have passed, the signal is aborted, or the process ends. */
  untilDecided(tenantId: string, id: string, ms: number, signal: AbortSignal): Promise<ApprovalStatus> {
    if (this.ending || signal.aborted || !this.hasRoomFor(tenantId)) return Promise.resolve('pending');
    return new Promise((resolve) => {
      const giveUp = (): void => waiting.end('pending');
      const limit = setTimeout(giveUp, ms);
      const waiting: Waiting = {
        tenantId,
        id,
        end: (status) => {
          this.waiting.delete(waiting);
          clearTimeout(limit);
          signal.removeEventListener('abort', giveUp);
          resolve(status);
        },
      };
      signal.addEventListener('abort', giveUp, { once: true });
      this.waiting.add(waiting);
      this.lookLater();
    });
  }

  /** Calls that wait are answered before the process ends. */
  beforeApplicationShutdown(): void {
    this.ending = true;
    if (this.timer) clearTimeout(this.timer);
    for (const waiting of this.waiting) waiting.end('pending');
  }

  private hasRoomFor(tenantId: string): boolean {
    if (this.waiting.size >= MAX_WAITING) return false;
    let own = 0;
    for (const waiting of this.waiting) if (waiting.tenantId === tenantId) own++;
    return own < MAX_OF_TENANT;
  }

  private lookLater(): void {
    if (this.timer || this.ending || this.waiting.size === 0) return;
    this.timer = setTimeout(() => {
      void this.look().finally(() => {
        this.timer = null;
        this.lookLater();
      });
    }, LOOK_EVERY_MS);
  }

  private async look(): Promise<void> {
    const asked = [...this.waiting];
    try {
      const ended = await this.requests.decidedAmong(asked);
      const found = new Map(ended.map(({ tenantId, id, status }) => [`${tenantId} ${id}`, status]));
      for (const waiting of asked) {
        const status = found.get(`${waiting.tenantId} ${waiting.id}`);
        if (status) waiting.end(status);
      }
    } catch (error) {
      // The next look tells; whoever waits is told to poll in the end.
      this.log.warn({ event: 'approvals.look_failed', reason: (error as Error).message });
    }
  }
}
