import { Injectable } from '@nestjs/common';
import { MoreThan } from 'typeorm';
import { Transactions } from '@haldir/database';
import { CallTask } from './call-task.entity.js';

/** Which task, of whom. */
export type CallTaskKey = Pick<CallTask, 'tenantId' | 'id'>;

/** Some of what nobody hears of any more, so that it does not pile up. */
const purge = `
  DELETE FROM mcp_task WHERE tenant_id = $1 AND id IN (
    SELECT id FROM mcp_task WHERE tenant_id = $1 AND expires_at < $2 LIMIT 100)`;
/** A call goes on once it is not cancelled; one that went on before stays as it is. */
const goOn = `
  UPDATE mcp_task SET state = 'called', updated_at = CASE WHEN state = 'open' THEN $3 ELSE updated_at END
   WHERE tenant_id = $1 AND id = $2 AND state <> 'cancelled' RETURNING id`;
const wait = `
  UPDATE mcp_task SET state = 'open', request_id = $3, updated_at = $4
   WHERE tenant_id = $1 AND id = $2 AND state = 'called'`;
const cancel = `
  UPDATE mcp_task SET state = 'cancelled', updated_at = $3 WHERE tenant_id = $1 AND id = $2 AND state = 'open'`;

@Injectable()
export class CallTaskRepository {
  constructor(private readonly transactions: Transactions) {}

  /** Kept once this is answered. */
  async insert(task: CallTask): Promise<void> {
    await this.transactions.run(task.tenantId, async (tx) => {
      tx.send(purge, [task.tenantId, task.createdAt]);
      await tx.manager.insert(CallTask, task);
    });
  }

  /** Null where there is none, or none any more. */
  find(tenantId: string, id: string, now: Date): Promise<CallTask | null> {
    return this.transactions.read(tenantId, (manager) =>
      manager.findOneBy(CallTask, { tenantId, id, expiresAt: MoreThan(now) }),
    );
  }

  /** Whether the call may be made: from now on it is not cancelled. */
  async goOn({ tenantId, id }: CallTaskKey, now: Date): Promise<boolean> {
    return (await this.transactions.run(tenantId, (tx) => tx.query(goOn, [tenantId, id, now]))).length > 0;
  }

  /** The call was not made: it waits for another approval. */
  async wait({ tenantId, id }: CallTaskKey, requestId: string, now: Date): Promise<void> {
    await this.transactions.run(tenantId, (tx) => tx.query(wait, [tenantId, id, requestId, now]));
  }

  /** Without effect on a call that went on. */
  async cancel({ tenantId, id }: CallTaskKey, now: Date): Promise<void> {
    await this.transactions.run(tenantId, (tx) => tx.query(cancel, [tenantId, id, now]));
  }
}
