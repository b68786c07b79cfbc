import { Body, Controller, Delete, HttpStatus, Param, Post, Put, Res } from '@nestjs/common';
import { ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import { type Actor } from '@haldir/kernel';
import {
  type Caller,
  CurrentActor,
  CurrentCaller,
  ForConnectors,
  type HaldirReply,
  JsonBody,
  Quota,
  Refuses,
  Returns,
  Waits,
} from '@haldir/http';
import { ConnectorAnswers } from '../connectors/connector-answers.js';
import { ConnectorClaims } from '../connectors/connector-claims.js';
import { ConnectorSecrets } from '../connectors/connector-secrets.js';
import { ConnectorKeyElsewhere } from '../connectors/connectors.errors.js';
import { ConnectorRegistration } from '../registry/connector-registration.js';
import {
  AnswerExchanges,
  AskSecrets,
  ClaimExchanges,
  EndLease,
  ExchangesAnswered,
  ExchangesClaimed,
  HoldLease,
  LEASE_HELD,
  LeaseEnded,
  LeaseHeld,
  SecretsTold,
  toExchangesClaimed,
  toParts,
} from './connector.dto.js';

const NamePath = () =>
  ApiParam({ name: 'name', description: 'Upstream that the key is for', schema: { type: 'string' } });

/** What `haldir connect` asks: the wire between a connector and Haldir, which the connector alone begins. */
@ApiTags('connectors')
@Controller('v1/connectors/:name')
export class ConnectorController {
  constructor(
    private readonly registration: ConnectorRegistration,
    private readonly claims: ConnectorClaims,
    private readonly answers: ConnectorAnswers,
    private readonly secrets: ConnectorSecrets,
    private readonly quota: Quota,
  ) {}

  @Put('lease')
  @ForConnectors({ carriesCalls: true })
  @NamePath()
  @ApiOperation({
    operationId: 'holdConnectorLease',
    summary: 'Stand for an upstream',
    description:
      'Make or renew the lease of a connector. The first one registers the upstream, and its tools are listed soon after. While no lease lasts, the upstream is not healthy.',
  })
  @JsonBody(HoldLease)
  @Returns(HttpStatus.OK, LeaseHeld, 'What holds for the connector')
  @Refuses('BadRequest', 'Unauthorized', 'Forbidden', 'Conflict', 'RateLimited')
  async hold(
    @CurrentCaller() caller: Caller,
    @Param('name') name: string,
    @Body({ schema: HoldLease }) { instance, per_session: isPerSession }: HoldLease,
  ): Promise<LeaseHeld> {
    const { actor, keyId } = caller;
    const [upstream, process] = [upstreamOf(actor, name), { instance, isPerSession, keyId }];
    if (await this.registration.renew(actor, upstream, process)) return LEASE_HELD;
    // A heartbeat costs nothing, also one that comes late; to come does.
    if (!(await this.registration.isKnown(actor.tenantId, upstream, instance))) await this.quota.take(caller);
    await this.registration.make(actor, upstream, process);
    return LEASE_HELD;
  }

  @Delete('lease')
  @ForConnectors()
  @NamePath()
  @ApiOperation({
    operationId: 'endConnectorLease',
    summary: 'Stand for an upstream no more',
    description: 'End the lease of a connector; what is under way there fails at once.',
  })
  @JsonBody(EndLease)
  @Returns(HttpStatus.OK, LeaseEnded, 'The lease has ended')
  @Refuses('BadRequest', 'Unauthorized', 'Forbidden', 'RateLimited')
  async end(
    @CurrentActor() actor: Actor,
    @Param('name') name: string,
    @Body({ schema: EndLease }) { instance }: EndLease,
  ): Promise<LeaseEnded> {
    await this.registration.leave(actor.tenantId, upstreamOf(actor, name), instance);
    return { ended: true };
  }

  @Post('exchanges/claim')
  @ForConnectors({ carriesCalls: true })
  @Waits()
  @NamePath()
  @ApiOperation({
    operationId: 'claimExchanges',
    summary: 'Wait for requests to the upstream',
    description:
      'Answers with requests that the connector is to make of its server, or with none once the wait is over. Each is given away once, whatever becomes of this answer. At most 4 claims of a connector wait at once.',
  })
  @JsonBody(ClaimExchanges)
  @Returns(HttpStatus.OK, ExchangesClaimed, 'Requests, and those that nobody waits for any more')
  @Refuses('BadRequest', 'Unauthorized', 'Forbidden', 'Conflict', 'RateLimited')
  async claim(
    @CurrentCaller() { actor, keyId }: Caller,
    @Param('name') name: string,
    @Body({ schema: ClaimExchanges }) { instance, max, wait_seconds }: ClaimExchanges,
    @Res({ passthrough: true }) { raw }: HaldirReply,
  ): Promise<ExchangesClaimed> {
    const upstream = upstreamOf(actor, name);
    const claim = { tenantId: actor.tenantId, upstream, instance, keyId, most: max, waitMs: wait_seconds * 1000 };
    const gone = new AbortController();
    raw.once('close', () => gone.abort());
    const claimed = await this.claims.claim(claim, gone.signal);
    this.claims.follow(claim, claimed, raw);
    return toExchangesClaimed(claimed);
  }

  @Post('exchanges/answers')
  @ForConnectors({ carriesCalls: true })
  @NamePath()
  @ApiOperation({
    operationId: 'answerExchanges',
    summary: 'Answer requests to the upstream',
    description:
      'Pass on what the server answers, part by part. Parts of what nobody waits for any more, or of what the connector was not given, are dropped, and their ids answered.',
  })
  @JsonBody(AnswerExchanges)
  @Returns(HttpStatus.OK, ExchangesAnswered, 'What nobody waits for')
  @Refuses('BadRequest', 'Unauthorized', 'Forbidden', 'RateLimited')
  async answer(
    @CurrentActor() actor: Actor,
    @Param('name') name: string,
    @Body({ schema: AnswerExchanges }) body: AnswerExchanges,
  ): Promise<ExchangesAnswered> {
    const upstream = upstreamOf(actor, name);
    const { tenantId } = actor;
    return { gone: await this.answers.take({ tenantId, upstream, instance: body.instance }, toParts(body)) };
  }

  @Post('secrets')
  @ForConnectors()
  @NamePath()
  @ApiOperation({
    operationId: 'readConnectorSecrets',
    summary: 'Read secrets that the connector key was given',
    description:
      'For the environment of the server that the connector starts. Whoever holds the key reads them. Each use is in the log, and the values are masked in what the upstream says.',
  })
  @JsonBody(AskSecrets)
  @Returns(HttpStatus.OK, SecretsTold, 'The values')
  @Refuses('BadRequest', 'Unauthorized', 'Forbidden', 'Unprocessable', 'RateLimited')
  async tell(
    @CurrentActor() actor: Actor,
    @Param('name') name: string,
    @Body({ schema: AskSecrets }) { names }: AskSecrets,
  ): Promise<SecretsTold> {
    upstreamOf(actor, name);
    return { values: await this.secrets.open(actor, names) };
  }
}

/** The upstream that a connector key is for, which is that of the path. @throws ConnectorKeyElsewhere */
function upstreamOf({ connector }: Actor, name: string): string {
  if (!connector) throw new Error('the route is for connectors');
  if (connector.upstream !== name) throw new ConnectorKeyElsewhere(connector.upstream);
  return name;
}
