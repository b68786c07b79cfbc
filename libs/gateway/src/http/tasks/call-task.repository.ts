import { Injectable } from '@nestjs/common';
import { MoreThan } from 'typeorm';
import { columnsOf, Transactions } from '@haldir/database';
import { CallTask } from './call-task.entity.js';

/** Which task, of whom. */
export type CallTaskKey = Pick<CallTask, 'tenantId' | 'id'>;

/** What becomes of a task. */
export type CallTaskFacts = Pick<CallTask, 'requestId' | 'state' | 'updatedAt'>;

const columns = columnsOf(CallTask);
const insert = `
  INSERT INTO mcp_task AS t (${columns.list}) VALUES (${columns.parameters})
  ON CONFLICT (tenant_id, holder_hash, made_for) WHERE state <> 'cancelled' DO UPDATE SET made_for = t.made_for
  RETURNING ${columns.of('t')}`;
const facts = `RETURNING request_id AS "requestId", state, updated_at AS "updatedAt"`;
/** A call goes on once it is not cancelled; one that went on before stays as it is. */
const goOn = `
  UPDATE mcp_task SET state = 'called', updated_at = CASE WHEN state = 'open' THEN $3 ELSE updated_at END
   WHERE tenant_id = $1 AND id = $2 AND state <> 'cancelled' ${facts}`;
/** What was found waiting for `$3` waits for `$4`. */
const wait = `
  UPDATE mcp_task t SET state = 'open', request_id = $4, updated_at = $5,
         made_for = CASE WHEN t.made_for = t.id OR EXISTS (
           SELECT FROM mcp_task o WHERE o.tenant_id = $1 AND o.holder_hash = t.holder_hash AND o.made_for = $4 AND o.state <> 'cancelled')
           THEN t.made_for ELSE $4 END
   WHERE tenant_id = $1 AND id = $2 AND request_id = $3 AND state = 'called' ${facts}`;
const cancel = `
  UPDATE mcp_task SET state = 'cancelled', updated_at = $3 WHERE tenant_id = $1 AND id = $2 AND state = 'open'`;

@Injectable()
export class CallTaskRepository {
  constructor(private readonly transactions: Transactions) {}

  /** Kept once this is answered: this one, or the one that its holder has of the same call already. */
  async insert(task: CallTask): Promise<CallTask> {
    const rows = await this.transactions.run(task.tenantId, (tx) => tx.query(insert, columns.toValues(task)));
    return rows.map((row) => columns.toEntity(row))[0] ?? task;
  }

  /** Null where there is none, or none any more. */
  find(tenantId: string, id: string, now: Date): Promise<CallTask | null> {
    return this.transactions.read(tenantId, (manager) =>
      manager.findOneBy(CallTask, { tenantId, id, expiresAt: MoreThan(now) }),
    );
  }

  /** The call may be made: from now on it is not cancelled. Null for one that is. */
  async goOn({ tenantId, id }: CallTaskKey, now: Date): Promise<CallTaskFacts | null> {
    return this.change(tenantId, goOn, [tenantId, id, now]);
  }

  /** The call was not made, and waits for that approval. Null when something else has become of it. */
  async wait({ tenantId, id, ...known }: CallTask, requestId: string, now: Date): Promise<CallTaskFacts | null> {
    return this.change(tenantId, wait, [tenantId, id, known.requestId, requestId, now]);
  }

  /** Without effect on a call that went on. */
  async cancel({ tenantId, id }: CallTaskKey, now: Date): Promise<void> {
    await this.transactions.run(tenantId, (tx) => tx.query(cancel, [tenantId, id, now]));
  }

  private async change(tenantId: string, text: string, values: unknown[]): Promise<CallTaskFacts | null> {
    const [changed = null] = await this.transactions.run(tenantId, (tx) => tx.query<CallTaskFacts>(text, values));
    return changed;
  }
}
