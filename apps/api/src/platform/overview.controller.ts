import { Controller, Get, HttpStatus, Query, Res } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { Clock, InvalidInput } from '@haldir/kernel';
import { type Caller, CurrentCaller, type HaldirReply, Refuses, RequiresScope, Returns } from '@haldir/http';
import { Evidence, EvidenceQuery, Overview, toMarkdown } from './overview.dto.js';
import { Overviews } from './overviews.js';

const NINETY_DAYS_MS = 90 * 86_400_000;

/** The tenant in one answer, for dashboards and auditors. */
@ApiTags('watch')
@Controller('v1')
export class OverviewController {
  constructor(
    private readonly overviews: Overviews,
    private readonly clock: Clock,
  ) {}

  @Get('admin/overview')
  @RequiresScope('admin:read')
  @ApiOperation({
    operationId: 'getOverview',
    summary: 'Get an overview of the tenant',
    description:
      'Usage, sessions, secrets, log, webhooks, approvals and health in one answer. The log is verified for it.',
  })
  @Returns(HttpStatus.OK, Overview, 'Overview')
  @Refuses('Unauthorized', 'RateLimited')
  overview(@CurrentCaller() caller: Caller): Promise<Overview> {
    return this.overviews.overview(caller);
  }

  @Get('compliance/evidence')
  @RequiresScope('admin:read')
  @ApiOperation({
    operationId: 'getEvidence',
    summary: 'Get evidence for an audit',
    description:
      'Keys, log, spend, approvals and webhooks of a period, with a digest over it, which the header X-Haldir-Evidence-Digest repeats. The log is verified for it.',
  })
  @Returns(HttpStatus.OK, Evidence, 'Evidence')
  @Refuses('BadRequest', 'Unauthorized', 'RateLimited')
  async evidence(
    @CurrentCaller() caller: Caller,
    @Query({ schema: EvidenceQuery }) { format, since, until = this.clock.now() }: EvidenceQuery,
    @Res({ passthrough: true }) reply: HaldirReply,
  ): Promise<Evidence | string> {
    const from = since ?? new Date(until.getTime() - NINETY_DAYS_MS);
    if (from > until) throw new InvalidInput('since: expected a time before until');
    const evidence = await this.overviews.evidence(caller, from, until);
    void reply.header('x-haldir-evidence-digest', evidence.signatures.digest);
    if (format === 'json') return evidence;
    void reply.headers({
      'content-type': 'text/markdown; charset=utf-8',
      'content-disposition': `attachment; filename="haldir-evidence-${evidence.tenant_id}.md"`,
    });
    return toMarkdown(evidence);
  }
}
