import { Body, Controller, Get, HttpStatus, Param, Post, Query } from '@nestjs/common';
import { ApiBody, ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import { type Actor, InvalidInput } from '@haldir/kernel';
import { ApprovalGrants, ApprovalService } from '@haldir/approvals';
import { AgentActivityRepository } from '@haldir/audit-log';
import { AgentFreezes, SessionService } from '@haldir/gate';
import { CurrentActor, Cursors, Refuses, RequiresScope, Returns, Write, type WriteRequest, Writes } from '@haldir/http';
import { PaymentTotals } from '@haldir/vault';
import { AgentFrozen, AgentList, AgentUnfrozen, FreezeBody, ListAgents, toAgentItem, toFrozen } from './agents.dto.js';

const AgentIdPath = () => ApiParam({ name: 'agent_id', description: 'Agent identifier', schema: { type: 'string' } });

/** Agents as every domain knows them together, and stopping them. */
@ApiTags('gate')
@Controller('v1')
export class AgentsController {
  constructor(
    private readonly activity: AgentActivityRepository,
    private readonly freezes: AgentFreezes,
    private readonly sessions: SessionService,
    private readonly payments: PaymentTotals,
    private readonly approvals: ApprovalService,
    private readonly grants: ApprovalGrants,
    private readonly writes: Writes,
    private readonly cursors: Cursors,
  ) {}

  @Get('agents')
  @RequiresScope('audit:read')
  @ApiOperation({
    operationId: 'listAgents',
    summary: 'List agents',
    description:
      'List the agents of the tenant by name, with their sessions, spending, flags, and whether they are frozen.',
  })
  @Returns(HttpStatus.OK, AgentList, 'Agents')
  @Refuses('BadRequest', 'Unauthorized', 'Forbidden', 'RateLimited')
  async list(
    @CurrentActor() { tenantId }: Actor,
    @Query({ schema: ListAgents }) query: ListAgents,
  ): Promise<AgentList> {
    const { limit, cursor, agent_id: agentId } = query;
    const identity = { tenantId, list: 'agents', filters: { agentId } };
    const after = cursor === undefined ? null : String(this.cursors.decode(identity, cursor)[0]);
    const found = await this.activity.list(tenantId, limit + 1, after, agentId);
    const { items, nextCursor } = this.cursors.page(identity, found, limit, (activity) => [activity.agentId]);
    const ids = items.map((activity) => activity.agentId);
    const [sessions, spent, freezes, ofTenant] = await Promise.all([
      this.sessions.countActiveOfAgents(tenantId, ids),
      this.payments.ofAgents(tenantId, ids),
      this.freezes.ofAgents(tenantId, ids),
      this.freezes.ofTenant(tenantId),
    ]);
    return {
      agents: items.map((activity) => toAgentItem(activity, { sessions, spent, freezes })),
      count: items.length,
      tenant_frozen: toFrozen(ofTenant),
      next_cursor: nextCursor,
    };
  }

  @Post('agents/:agent_id/freeze')
  @RequiresScope('sessions:write')
  @AgentIdPath()
  @ApiOperation({
    operationId: 'freezeAgent',
    summary: 'Freeze an agent',
    description:
      'Stop an agent until it is unfrozen: its calls, payments and reads are refused from the next step on, everywhere, what waits for approval is denied, and no session is opened for it.',
  })
  @ApiBody({ required: true, standardSchema: FreezeBody } as never)
  @Returns(HttpStatus.OK, AgentFrozen, 'The agent is frozen')
  @Refuses('BadRequest', 'Unauthorized', 'Forbidden', 'RateLimited')
  freezeAgent(
    @CurrentActor() actor: Actor,
    @Param('agent_id') param: string,
    @Body({ schema: FreezeBody }) { reason }: FreezeBody,
    @Write() write: WriteRequest,
  ): Promise<AgentFrozen> {
    return this.freeze(actor, checkedAgentId(param), reason, write);
  }

  @Post('agents/:agent_id/unfreeze')
  @RequiresScope('sessions:write')
  @AgentIdPath()
  @ApiOperation({
    operationId: 'unfreezeAgent',
    summary: 'Unfreeze an agent',
    description: 'Let a frozen agent go on, with the sessions that still live, or new ones.',
  })
  @Returns(HttpStatus.OK, AgentUnfrozen, 'The agent is not frozen')
  @Refuses('BadRequest', 'Unauthorized', 'Forbidden', 'RateLimited')
  unfreezeAgent(
    @CurrentActor() actor: Actor,
    @Param('agent_id') param: string,
    @Write() write: WriteRequest,
  ): Promise<AgentUnfrozen> {
    return this.unfreeze(actor, checkedAgentId(param), write);
  }

  @Post('freeze')
  @RequiresScope('admin:write')
  @ApiOperation({
    operationId: 'freezeTenant',
    summary: 'Freeze every agent',
    description: 'Stop every agent of the tenant until it is unfrozen, those to come included.',
  })
  @ApiBody({ required: true, standardSchema: FreezeBody } as never)
  @Returns(HttpStatus.OK, AgentFrozen, 'Every agent is frozen')
  @Refuses('BadRequest', 'Unauthorized', 'Forbidden', 'RateLimited')
  freezeTenant(
    @CurrentActor() actor: Actor,
    @Body({ schema: FreezeBody }) { reason }: FreezeBody,
    @Write() write: WriteRequest,
  ): Promise<AgentFrozen> {
    return this.freeze(actor, null, reason, write);
  }

  @Post('unfreeze')
  @RequiresScope('admin:write')
  @ApiOperation({
    operationId: 'unfreezeTenant',
    summary: 'Unfreeze every agent',
    description: 'Let the agents of the tenant go on; one that was frozen by itself stays so.',
  })
  @Returns(HttpStatus.OK, AgentUnfrozen, 'The tenant is not frozen')
  @Refuses('BadRequest', 'Unauthorized', 'Forbidden', 'RateLimited')
  unfreezeTenant(@CurrentActor() actor: Actor, @Write() write: WriteRequest): Promise<AgentUnfrozen> {
    return this.unfreeze(actor, null, write);
  }

  private freeze(actor: Actor, agentId: string | null, reason: string, write: WriteRequest): Promise<AgentFrozen> {
    return this.writes.run(write, async (tx): Promise<AgentFrozen> => {
      // Grants first, in the order in which calls lock them, too; and those again that were given with what was not denied any more.
      const before = await this.grants.revokeAll(tx, actor, agentId);
      const denied = await this.approvals.denyAll(tx, actor, agentId, `Frozen: ${reason}`);
      const ended = {
        denied_approvals: denied,
        revoked_grants: before + (await this.grants.revokeAll(tx, actor, agentId)),
      };
      const changed = await this.freezes.freeze(tx, actor, agentId, reason, ended);
      return { frozen: true, agent_id: agentId, changed, ...ended };
    });
  }

  private unfreeze(actor: Actor, agentId: string | null, write: WriteRequest): Promise<AgentUnfrozen> {
    return this.writes.run(write, async (tx): Promise<AgentUnfrozen> => {
      const changed = await this.freezes.unfreeze(tx, actor, agentId);
      return { frozen: false, agent_id: agentId, changed };
    });
  }
}

/** @throws InvalidInput for what no agent is called */
function checkedAgentId(text: string): string {
  if (text.length > 128) throw new InvalidInput('agent_id: expected a text of 1 to 128 characters');
  return text;
}
