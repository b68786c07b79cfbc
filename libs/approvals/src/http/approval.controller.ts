import { Body, Controller, Get, HttpStatus, Param, Post, Query, Req } from '@nestjs/common';
import { ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import { type Actor, Clock, InvalidInput, newId, toUnixSeconds } from '@haldir/kernel';
import { SessionInvalid, SessionService } from '@haldir/gate';
import {
  type Caller,
  CurrentActor,
  CurrentCaller,
  Cursors,
  grantsKeyScope,
  type HaldirRequest,
  OpenToAgents,
  OwnPages,
  Refuses,
  RequiresScope,
  Returns,
  Write,
  type WriteRequest,
  Writes,
  JsonBody,
} from '@haldir/http';
import { ApprovalGrants } from '../approval-grants.js';
import { ApprovalService } from '../approval.service.js';
import { ApprovalTellings } from '../approval-tellings.js';
import { ApprovalNotFound } from '../approvals.errors.js';
import { type Prove } from '../decision-signatures.js';
import { type NewDecision } from '../new-decision.js';
import { SelfApprovalService } from '../self-approval.service.js';
import { ApprovalDetailsPart, ReadApprovalDetails, toApprovalDetailsPart } from './approval-details.dto.js';
import {
  ApprovalDetail,
  ApprovalList,
  ApprovalRequested,
  ApproveRequest,
  ApproveRequestBody,
  type Decide,
  DenyRequest,
  DenyRequestBody,
  ListApprovals,
  ListPendingApprovals,
  PendingApprovalList,
  RequestApproval,
  RequestApproved,
  RequestDenied,
  toApprovalDetail,
  toNewApprovalRequest,
  toPendingApproval,
  toTelling,
} from './approval.dto.js';
import { toGrantTerms } from './approval-grant.dto.js';
import { DecisionSigning } from './decision-signing.js';

const RequestIdPath = () => ApiParam({ name: 'request_id', schema: { type: 'string' } });

@ApiTags('approvals')
@Controller('v1/approvals')
export class ApprovalController {
  constructor(
    private readonly approvals: ApprovalService,
    private readonly grants: ApprovalGrants,
    private readonly tellings: ApprovalTellings,
    private readonly selfApproval: SelfApprovalService,
    private readonly signing: DecisionSigning,
    private readonly pages: OwnPages,
    private readonly sessions: SessionService,
    private readonly writes: Writes,
    private readonly cursors: Cursors,
    private readonly clock: Clock,
  ) {}

  @Post('request')
  @RequiresScope('approvals:request')
  @OpenToAgents()
  @ApiOperation({
    operationId: 'requestApproval',
    summary: 'Request human approval',
    description:
      'Submit an action for human approval. The agent polls the approval status until it is approved or denied.',
  })
  @JsonBody(RequestApproval)
  @Returns(HttpStatus.CREATED, ApprovalRequested, 'Approval requested')
  @Refuses('BadRequest', 'Unauthorized', 'RateLimited')
  async request(
    @CurrentActor() actor: Actor,
    @Body({ schema: RequestApproval }) body: RequestApproval,
    @Write() write: WriteRequest,
  ): Promise<ApprovalRequested> {
    const session = await this.sessions.findLive(actor, body.session_id);
    const wanted = await toNewApprovalRequest(body, session?.agentId ?? '', actor);
    return this.writes.run(write, async (tx): Promise<ApprovalRequested> => {
      // Only here, so that a retry gets the first answer after the session has ended, too.
      if (!session) throw new SessionInvalid();
      const request = await this.approvals.request(tx, wanted);
      return { request_id: request.id, status: request.status, expires_at: toUnixSeconds(request.expiresAt) };
    });
  }

  @Get()
  @RequiresScope('approvals:read')
  @ApiOperation({
    operationId: 'listApprovals',
    summary: 'List approvals',
    description: 'List approval requests, decided ones included, newest first, by agent, tool, rule and status.',
  })
  @Returns(HttpStatus.OK, ApprovalList, 'Approval requests')
  @Refuses('BadRequest', 'Unauthorized', 'RateLimited')
  async list(
    @CurrentActor() { tenantId }: Actor,
    @Query({ schema: ListApprovals }) query: ListApprovals,
  ): Promise<ApprovalList> {
    const { limit, cursor, agent_id: agentId, tool, rule: ruleId, status } = query;
    const filter = { agentId, tool, ruleId, status };
    const { items, nextCursor } = await this.cursors.listByText(
      { tenantId, list: 'approvals', filters: filter },
      { limit, cursor },
      (count, before) => this.approvals.list(tenantId, filter, count, before),
      ({ id }) => id,
    );
    const now = this.clock.now();
    return {
      count: items.length,
      requests: items.map((request) => toApprovalDetail(request, now)),
      next_cursor: nextCursor,
    };
  }

  @Get('pending')
  @RequiresScope('approvals:read')
  @ApiOperation({
    operationId: 'listPendingApprovals',
    summary: 'List pending approvals',
    description: 'List all approval requests that are still pending a decision.',
  })
  @Returns(HttpStatus.OK, PendingApprovalList, 'Pending approval requests')
  @Refuses('Unauthorized', 'RateLimited', 'BadRequest')
  async pending(
    @CurrentActor() { tenantId }: Actor,
    @Query({ schema: ListPendingApprovals }) query: ListPendingApprovals,
  ): Promise<PendingApprovalList> {
    const { limit, cursor, agent_id: agentId, tool, rule: ruleId } = query;
    const filter = { agentId, tool, ruleId };
    const { items, nextCursor } = await this.cursors.listByText(
      { tenantId, list: 'pending_approvals', filters: filter },
      { limit, cursor },
      (count, before) => this.approvals.list(tenantId, { ...filter, status: 'pending' }, count, before),
      ({ id }) => id,
    );
    return { count: items.length, requests: items.map(toPendingApproval), next_cursor: nextCursor };
  }

  @Get(':request_id')
  @RequiresScope(['approvals:read', 'approvals:request'])
  @OpenToAgents()
  @RequestIdPath()
  @ApiOperation({
    operationId: 'checkApproval',
    summary: 'Check approval status',
    description:
      'Poll the status of a pending approval request. With approvals:request alone, and with an agent key, only of those that the key has made.',
  })
  @Returns(HttpStatus.OK, ApprovalDetail, 'Approval status')
  @Refuses('Unauthorized', 'NotFound', 'RateLimited')
  async get(@CurrentCaller() caller: Caller, @Param('request_id') requestId: string): Promise<ApprovalDetail> {
    const { actor, scopes } = caller;
    const request = grantsKeyScope(scopes, 'approvals:read')
      ? await this.approvals.get(actor.tenantId, requestId)
      : await this.approvals.getOwn(actor, requestId);
    return { ...toApprovalDetail(request, this.clock.now()), ...toTelling(await this.tellings.of(request)) };
  }

  @Get(':request_id/details')
  @RequiresScope(['approvals:read', 'approvals:request'])
  @OpenToAgents()
  @RequestIdPath()
  @ApiOperation({
    operationId: 'readApprovalDetails',
    summary: 'Read the details of an approval request',
    description:
      'A part of the details, of which all can be read so, hidden characters as \\u{…}: follow next_offset until it is null. Whoever may check the request may read them.',
  })
  @Returns(HttpStatus.OK, ApprovalDetailsPart, 'A part of the details')
  @Refuses('BadRequest', 'Unauthorized', 'NotFound', 'RateLimited')
  async details(
    @CurrentCaller() { actor, scopes }: Caller,
    @Param('request_id') requestId: string,
    @Query({ schema: ReadApprovalDetails }) { offset, limit }: ReadApprovalDetails,
  ): Promise<ApprovalDetailsPart> {
    const part = await this.approvals.readDetails(actor.tenantId, requestId, offset, limit);
    if (!grantsKeyScope(scopes, 'approvals:read') && part.requestedKey !== actor.id) throw new ApprovalNotFound();
    return toApprovalDetailsPart(requestId, part);
  }

  @Post(':request_id/approve')
  @RequiresScope('approvals:decide')
  @RequestIdPath()
  @ApiOperation({
    operationId: 'approveRequest',
    summary: 'Approve a pending request',
    description:
      'Approve a pending approval request, allowing the agent to proceed; with `grant`, calls like it, too. Where the tenant wants approvals signed, a person signs with a passkey; a key is answered 403, signature_required.',
  })
  @JsonBody(ApproveRequest, { required: false })
  @Returns(HttpStatus.OK, RequestApproved, 'Request approved')
  @Refuses('BadRequest', 'Unauthorized', 'Forbidden', 'RateLimited', 'NotFound')
  approve(
    @CurrentActor() actor: Actor,
    @Param('request_id') requestId: string,
    @Body({ schema: ApproveRequestBody }) body: Decide,
    @Write() write: WriteRequest,
    @Req() request: HaldirRequest,
  ): Promise<RequestApproved> {
    const prove = this.proofIn(body, actor, request);
    const grant = body.grant && { id: newId('grt'), ...toGrantTerms(body.grant) };
    const answer = { approved: true, request_id: requestId, ...(grant ? { grant_id: grant.id } : {}) } as const;
    return this.decide(actor, requestId, { ...saidIn(body), status: 'approved', grant }, prove, write, answer);
  }

  @Post(':request_id/deny')
  @RequiresScope('approvals:decide')
  @RequestIdPath()
  @ApiOperation({
    operationId: 'denyRequest',
    summary: 'Deny a pending request',
    description: "Deny a pending approval request, blocking the agent's action.",
  })
  @JsonBody(DenyRequest, { required: false })
  @Returns(HttpStatus.OK, RequestDenied, 'Request denied')
  @Refuses('BadRequest', 'Unauthorized', 'Forbidden', 'RateLimited', 'NotFound')
  deny(
    @CurrentActor() actor: Actor,
    @Param('request_id') requestId: string,
    @Body({ schema: DenyRequestBody }) body: Decide,
    @Write() write: WriteRequest,
    @Req() request: HaldirRequest,
  ): Promise<RequestDenied> {
    const prove = this.proofIn(body, actor, request);
    const answer = { denied: true, request_id: requestId } as const;
    return this.decide(actor, requestId, { ...saidIn(body), status: 'denied' }, prove, write, answer);
  }

  /** @throws InvalidInput where a key sends what only a person signs; ForeignPage */
  private proofIn({ assertion }: Decide, actor: Actor, request: HaldirRequest): Prove | null {
    if (assertion === undefined) return null;
    if (actor.kind !== 'person') throw new InvalidInput('assertion: expected none with a key, as a person signs');
    return this.signing.proofOf(actor, assertion, this.pages.check(request));
  }

  private async decide<Answer>(
    actor: Actor,
    id: string,
    decision: NewDecision,
    prove: Prove | null,
    write: WriteRequest,
    answer: Answer,
  ): Promise<Answer> {
    const earlier = await this.writes.earlier<Answer>(write);
    if (earlier) return earlier;
    await this.selfApproval.refuseOwn(actor, id);
    return this.writes.run(write, async (tx) => {
      const decided = await this.approvals.decide(tx, actor, id, decision, prove);
      if (decision.grant) await this.grants.give(tx, actor, decided, decision.grant, decision);
      return answer;
    });
  }
}

function saidIn({ decided_by: by, note, reason = '' }: Decide): Pick<NewDecision, 'by' | 'note'> {
  return { by, note: note === '' ? reason : note };
}
