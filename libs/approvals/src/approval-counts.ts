import { Injectable } from '@nestjs/common';
import { Clock } from '@haldir/kernel';
import { ApprovalRequestRepository } from './approval-request.repository.js';

/** A tenant's approval figures, at a cost that does not grow with its history. */
@Injectable()
export class ApprovalCounts {
  constructor(
    private readonly requests: ApprovalRequestRepository,
    private readonly clock: Clock,
  ) {}

  /** `pending` without expired ones; `total` of all requests ever made. */
  of(tenantId: string): Promise<{ pending: number; total: number }> {
    return this.requests.counts(tenantId, this.clock.now());
  }
}
