import { Controller, Get, Post, Req, Res, UseFilters } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { HaldirError } from '@haldir/kernel';
import { AgentSessions, SessionInvalid, SessionService } from '@haldir/gate';
import {
  type Caller,
  CurrentCaller,
  type HaldirReply,
  type HaldirRequest,
  AnswersBadBody,
  OpenToAgents,
  Quota,
  RequiresKey,
  Waits,
} from '@haldir/http';
import { STATELESS_VERSION } from '@haldir/mcp';
import { Log } from '@haldir/runtime';
import { type Asking } from './asking.js';
import { Cancellations } from './cancellations.js';
import { Hosts } from './hosts.js';
import { McpErrorFilter, rpcRefusal } from './mcp-error.filter.js';
import { McpServer } from './mcp-server.js';
import { Exchange } from './protocol/exchange.js';
import { readPost } from './protocol/inbound.js';
import { headerOf } from './protocol/mcp-headers.js';
import { readMcpSession } from './protocol/mcp-session.js';
import { Questions } from './questions.js';
import { Subscriptions } from './subscriptions.js';
import {
  INTERNAL_ERROR,
  RpcError,
  type RpcRequest,
  SERVER_ERROR,
  toErrorResponse,
  toResponse,
} from './protocol/messages.js';

/** The Streamable HTTP endpoint. Nothing is kept between requests, so any process answers any of them. */
@ApiExcludeController()
@Controller('mcp')
@UseFilters(McpErrorFilter)
export class McpController {
  constructor(
    private readonly server: McpServer,
    private readonly hosts: Hosts,
    private readonly cancellations: Cancellations,
    private readonly questions: Questions,
    private readonly subscriptions: Subscriptions,
    private readonly agentSessions: AgentSessions,
    private readonly sessions: SessionService,
    private readonly quota: Quota,
    private readonly log: Log,
  ) {}

  @Post()
  @RequiresKey()
  @OpenToAgents()
  @AnswersBadBody(rpcRefusal)
  async post(@CurrentCaller() caller: Caller, @Req() request: HaldirRequest, @Res() reply: HaldirReply): Promise<void> {
    this.hosts.check(request.headers);
    const { revision, isBatch, requests, cancelled, answers } = readPost(request.headers, request.body);
    const mcpSession = revision === 'handshake' ? readMcpSession(request.headers) : null;
    const sessionId = sessionIdOf(request) ?? (await this.agentSessions.currentOf(caller));
    const asking: Asking = {
      caller,
      sessionId,
      revision,
      mcpSession,
      request,
      reply,
      cancelled: null,
      exchange: null,
    };
    // Each message of a batch that is acted on counts as a request of its own.
    const others = requests.length + (mcpSession ? cancelled.length + answers.length : 0) - 1;
    await Promise.all(Array.from({ length: Math.max(0, others) }, () => this.quota.take(caller)));
    if (mcpSession) {
      const by = { tenantId: caller.actor.tenantId, sessionId: asking.sessionId, mcpSession };
      for (const id of cancelled) await this.cancellations.cancel({ by, id });
      for (const answer of answers) await this.questions.hear(by, answer);
    }
    const [only] = requests;
    if (!only) {
      void reply.status(202).send();
    } else if (isBatch) {
      const answers = await this.answerAll(asking, requests);
      void reply
        .header('content-type', 'application/json')
        .status(200)
        .send(`[${answers.join(',')}]`);
    } else {
      await this.answerAlone({ ...asking, exchange: new Exchange(request, reply) }, only);
    }
  }

  /**
   * The stream on which clients after a handshake are told of changed lists. An operator has none that change. It opens no session: clients
   * come back to it by themselves, though nobody asks for anything.
   */
  @Get()
  @Waits()
  @RequiresKey()
  @OpenToAgents()
  async stream(
    @CurrentCaller() caller: Caller,
    @Req() request: HaldirRequest,
    @Res() reply: HaldirReply,
  ): Promise<void> {
    this.hosts.check(request.headers);
    const mcpSession = readMcpSession(request.headers);
    const exchange = new Exchange(request, reply);
    const isWanted = request.method === 'GET' && exchange.takesEvents;
    const isAsked = headerOf(request.headers, 'mcp-protocol-version') !== STATELESS_VERSION && isWanted;
    const sessionId = isAsked ? (sessionIdOf(request) ?? this.agentSessions.livingOf(caller)) : null;
    if (sessionId === null) {
      void reply.header('allow', 'POST, OPTIONS');
      throw new RpcError(SERVER_ERROR, 'There is a stream for clients after a handshake, in a session', {
        status: 405,
      });
    }
    const session = await this.sessions.authenticate(caller.actor, sessionId);
    const asking = { caller, sessionId, mcpSession, request, reply, exchange, cancelled: null };
    await this.subscriptions.stand({ ...asking, revision: 'handshake' }, session);
  }

  /**
   * A client of the stateless revision cancels by hanging up, which the older ones do not mean by it. What nobody reads is broken
   * off for all.
   */
  private async answerAlone(asking: Asking & { exchange: Exchange }, request: RpcRequest): Promise<void> {
    const { caller, sessionId, revision, mcpSession, exchange } = asking;
    const finish = async (cancelled: AbortSignal): Promise<void> => {
      const { status, text } = await this.answer({ ...asking, cancelled }, request);
      // Whoever has cancelled wants no answer.
      if (cancelled.aborted) exchange.leave();
      else exchange.finish(status, text);
    };
    if (revision === 'stateless') await finish(exchange.signal);
    else if (mcpSession === null) await finish(exchange.unread);
    else
      await this.cancellations.during(
        { by: { tenantId: caller.actor.tenantId, sessionId, mcpSession }, id: request.id },
        (cancelled) => finish(AbortSignal.any([cancelled, exchange.unread])),
      );
  }

  private async answerAll(asking: Asking, requests: RpcRequest[]): Promise<string[]> {
    const answers = await Promise.all(requests.map((request) => this.answer(asking, request)));
    return answers.map(({ text }) => text.toString());
  }

  private async answer(asking: Asking, request: RpcRequest): Promise<{ status: number; text: string | Buffer }> {
    try {
      return { status: 200, text: toResponse(request.id, await this.server.answer(asking, request)) };
    } catch (error) {
      if (error instanceof RpcError) return { status: error.status, text: toErrorResponse(request.id, error) };
      if (!asking.exchange?.hasBegun) throw error;
      return { status: 200, text: toErrorResponse(request.id, this.lateFailure(error, asking)) };
    }
  }

  /** What HTTP can no longer say. */
  private lateFailure(error: unknown, { request }: Asking): RpcError {
    if (error instanceof HaldirError) return new RpcError(SERVER_ERROR, error.message, { data: { code: error.code } });
    this.log.error({ event: 'mcp.failed', request_id: request.id }, error);
    return new RpcError(INTERNAL_ERROR, 'Something went wrong on our side; the log has the request_id', {
      data: { code: 'internal', request_id: request.id },
    });
  }
}

/**
 * An empty header is a setting that was left out, and no wish to act as the operator.
 *
 * @throws SessionInvalid for what cannot be a session
 */
function sessionIdOf({ headers }: HaldirRequest): string | null {
  const { 'x-session-id': sent } = headers;
  if (sent === undefined) return null;
  if (typeof sent !== 'string' || !/^[\x21-\x7e]{1,256}$/.test(sent)) throw new SessionInvalid();
  return sent;
}
