import { Body, Controller, Delete, Get, HttpStatus, Param, Post, Query } from '@nestjs/common';
import { ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import { type Actor, Clock } from '@haldir/kernel';
import { Metrics } from '@haldir/runtime';
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
import { SessionService } from '../session.service.js';
import {
  CheckPermission,
  CreateSession,
  ListSessions,
  PermissionResult,
  SessionCreated,
  SessionDetail,
  SessionList,
  SessionRevoked,
  toNewSession,
  toSessionCreated,
  toSessionDetail,
} from './session.dto.js';

const SessionIdPath = () => ApiParam({ name: 'session_id', description: 'Session ID', schema: { type: 'string' } });

@ApiTags('gate')
@Controller('v1/sessions')
export class SessionController {
  constructor(
    private readonly sessions: SessionService,
    private readonly writes: Writes,
    private readonly cursors: Cursors,
    private readonly metrics: Metrics,
    private readonly clock: Clock,
  ) {}

  @Post()
  @RequiresScope('sessions:write')
  @OpenToAgents()
  @ApiOperation({
    operationId: 'createSession',
    summary: 'Create an agent session',
    description: 'Create a scoped session for an AI agent with explicit permissions, TTL, and optional spend budget.',
  })
  @JsonBody(CreateSession)
  @Returns(HttpStatus.CREATED, SessionCreated, 'Session created')
  @Refuses('BadRequest', 'Unauthorized', 'RateLimited')
  async create(
    @CurrentActor() actor: Actor,
    @Body({ schema: CreateSession }) body: CreateSession,
    @Write() write: WriteRequest,
  ): Promise<SessionCreated> {
    const wanted = toNewSession(actor, body);
    if (write.idempotencyKey === null) return toSessionCreated(await this.sessions.open(actor, wanted));
    return this.writes.run(write, async (tx) => toSessionCreated(await this.sessions.openIn(tx, actor, wanted)));
  }

  @Get()
  @RequiresScope('sessions:read')
  @ApiOperation({
    operationId: 'listSessions',
    summary: 'List sessions',
    description: 'List sessions, newest first, by agent, status and who opened them.',
  })
  @Returns(HttpStatus.OK, SessionList, 'Sessions')
  @Refuses('BadRequest', 'Unauthorized', 'RateLimited')
  async list(@CurrentActor() actor: Actor, @Query({ schema: ListSessions }) query: ListSessions): Promise<SessionList> {
    const { tenantId } = actor;
    const { limit, cursor, agent_id: agentId, status, opened_by: openedBy } = query;
    const filter = { agentId, status, openedBy };
    const { items, nextCursor } = await this.cursors.listByText(
      { tenantId, list: 'sessions', filters: filter },
      { limit, cursor },
      (count, before) => this.sessions.list(tenantId, filter, count, before),
      ({ id }) => id,
    );
    const now = this.clock.now();
    return {
      count: items.length,
      sessions: items.map((session) => ({ ...toSessionDetail(actor, session, now), status: session.statusAt(now) })),
      next_cursor: nextCursor,
    };
  }

  @Get(':session_id')
  @RequiresScope('sessions:read')
  @OpenToAgents()
  @SessionIdPath()
  @ApiOperation({
    operationId: 'getSession',
    summary: 'Get session info',
    description: 'Retrieve the current state of a session including scopes, spend, remaining budget, and validity.',
  })
  @Returns(HttpStatus.OK, SessionDetail, 'Session details')
  @Refuses('Unauthorized', 'NotFound', 'RateLimited')
  async get(@CurrentActor() actor: Actor, @Param('session_id') sessionId: string): Promise<SessionDetail> {
    return toSessionDetail(actor, await this.sessions.get(actor, sessionId), this.clock.now());
  }

  @Delete(':session_id')
  @RequiresScope('sessions:write')
  @OpenToAgents()
  @SessionIdPath()
  @ApiOperation({
    operationId: 'revokeSession',
    summary: 'Revoke a session',
    description: 'Immediately revoke a session, permanently disabling all permissions.',
  })
  @Returns(HttpStatus.OK, SessionRevoked, 'Session revoked')
  @Refuses('Unauthorized', 'NotFound', 'RateLimited')
  revoke(
    @CurrentActor() actor: Actor,
    @Param('session_id') sessionId: string,
    @Write() write: WriteRequest,
  ): Promise<SessionRevoked> {
    return this.writes.run(write, async (tx): Promise<SessionRevoked> => {
      await this.sessions.revoke(tx, actor, sessionId);
      return { revoked: true, session_id: sessionId };
    });
  }

  @Post(':session_id/check')
  @RequiresScope('sessions:read')
  @OpenToAgents()
  @SessionIdPath()
  @ApiOperation({
    operationId: 'checkPermission',
    summary: 'Check a session permission',
    description: 'Check whether a session holds a specific scope. Use before sensitive operations to avoid 403 errors.',
  })
  @JsonBody(CheckPermission)
  @Returns(HttpStatus.OK, PermissionResult, 'Permission check result')
  @Refuses('BadRequest', 'Unauthorized', 'RateLimited')
  async check(
    @CurrentActor() actor: Actor,
    @Param('session_id') sessionId: string,
    @Body({ schema: CheckPermission }) { scope }: CheckPermission,
    @Write() write: WriteRequest,
  ): Promise<PermissionResult> {
    const decide = async (): Promise<PermissionResult> => {
      const allowed = await this.sessions.holds(actor, sessionId, scope);
      this.metrics.countDecision('permission', allowed ? 'allowed' : 'denied');
      return { allowed, session_id: sessionId, scope };
    };
    // A question changes nothing: only a caller that insists on the same answer pays for a transaction.
    return write.idempotencyKey === null ? decide() : this.writes.run(write, decide);
  }
}
