import { Body, Controller, Delete, Get, HttpStatus, Param, Post, Query } from '@nestjs/common';
import { ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import { type Actor } from '@haldir/kernel';
import { AuditLog } from '@haldir/audit-log';
import { SessionService } from '@haldir/gate';
import {
  CurrentActor,
  Cursors,
  OpenToAgents,
  Refuses,
  RequiresScope,
  Returns,
  Write,
  type WriteRequest,
  Writes,
  JsonBody,
} from '@haldir/http';
import { AuditTrailService } from '../audit-trail.service.js';
import { SpendService } from '../spend.service.js';
import { ListAuditEntries } from './audit-filter.dto.js';
import {
  ActionLogged,
  AuditEntryList,
  auditPage,
  DetailsErased,
  LogAction,
  toActionLogged,
  toRecord,
} from './audit.dto.js';
import { SpendAnswer, SpendQuery, spendPage } from './spend.dto.js';

@ApiTags('watch', 'audit')
@Controller('v1/audit')
export class AuditController {
  constructor(
    private readonly auditLog: AuditLog,
    private readonly trail: AuditTrailService,
    private readonly spending: SpendService,
    private readonly sessions: SessionService,
    private readonly writes: Writes,
    private readonly cursors: Cursors,
  ) {}

  @Post()
  @RequiresScope('audit:write')
  @OpenToAgents()
  @ApiOperation({
    operationId: 'logAction',
    summary: 'Log an agent action',
    description: 'Log an action to the tamper-evident audit trail. Watch automatically flags anomalous patterns.',
  })
  @JsonBody(LogAction)
  @Returns(HttpStatus.CREATED, ActionLogged, 'Action logged')
  @Refuses('BadRequest', 'Unauthorized', 'RateLimited')
  async log(
    @CurrentActor() actor: Actor,
    @Body({ schema: LogAction }) body: LogAction,
    @Write() write: WriteRequest,
  ): Promise<ActionLogged> {
    const session = await this.sessions.findLive(actor, body.session_id);
    if (write.idempotencyKey === null)
      return toActionLogged(await this.auditLog.append(actor, toRecord(body, session)));
    return this.writes.run(write, async (tx) => {
      // Only here is a dead session refused, so that a retry gets the first answer after the session has ended, too.
      const recorded = this.auditLog.record(tx, actor, toRecord(body, session));
      // The answer says whether the entry is flagged, which is known once it is written.
      await tx.flush();
      return toActionLogged(recorded);
    });
  }

  @Get()
  @RequiresScope('audit:read')
  @ApiOperation({
    operationId: 'getAuditTrail',
    summary: 'Query the audit trail',
    description:
      'Retrieve audit log entries, newest first, with optional filters by session, agent, tool, action, decision, rule, upstream, actor, time, or flagged status. Filters combine: an entry passes all of them.',
  })
  @Returns(HttpStatus.OK, AuditEntryList, 'Audit entries')
  @Refuses('BadRequest', 'Unauthorized', 'RateLimited')
  async list(
    @CurrentActor() { tenantId }: Actor,
    @Query({ schema: ListAuditEntries }) query: ListAuditEntries,
  ): Promise<AuditEntryList> {
    return auditPage(this.trail, this.cursors, tenantId, query);
  }

  @Get('spend')
  @RequiresScope('audit:read')
  @ApiOperation({
    operationId: 'getSpend',
    summary: 'Get spend summary',
    description:
      'What entries report and what was paid, optionally of a session or agent; payments also by day, agent and tool, a page at a time.',
  })
  @Returns(HttpStatus.OK, SpendAnswer, 'Spend summary')
  @Refuses('BadRequest', 'Unauthorized', 'RateLimited')
  async spend(
    @CurrentActor() { tenantId }: Actor,
    @Query({ schema: SpendQuery }) query: SpendQuery,
  ): Promise<SpendAnswer> {
    return spendPage(this.spending, this.cursors, tenantId, query);
  }

  @Delete(['entries/:entry_id/details', ':entry_id/details'])
  @RequiresScope('admin:write')
  @ApiParam({ name: 'entry_id', description: 'Entry ID', schema: { type: 'string' } })
  @ApiOperation({
    operationId: 'eraseAuditDetails',
    summary: 'Erase the details of an entry',
    description:
      'Erase the details of an entry for good, on request of whom they are about. The entry and every proof of it stay valid, and the erasure is on the record.',
  })
  @Returns(HttpStatus.OK, DetailsErased, 'Details erased')
  @Refuses('Unauthorized', 'Forbidden', 'NotFound', 'Conflict', 'RateLimited')
  erase(
    @CurrentActor() actor: Actor,
    @Param('entry_id') entryId: string,
    @Write() write: WriteRequest,
  ): Promise<DetailsErased> {
    return this.writes.run(write, async (tx): Promise<DetailsErased> => {
      await this.trail.eraseDetails(tx, actor, entryId);
      return { erased: true, entry_id: entryId };
    });
  }
}
