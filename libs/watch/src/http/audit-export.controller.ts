import { Readable } from 'node:stream';
import { Controller, Get, HttpStatus, Query, Res, StreamableFile } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { type Actor } from '@haldir/kernel';
import { CurrentActor, type HaldirReply, Refuses, RequiresScope, Returns } from '@haldir/http';
import { AuditTrailService } from '../audit-trail.service.js';
import { csvLines, jsonLines, ManifestAnswer, toManifest } from './audit-export.js';
import { ExportAuditEntries, ExportManifestQuery, toAuditFilter } from './audit-filter.dto.js';

@ApiTags('audit')
@RequiresScope('audit:read')
@Controller('v1/audit/export')
export class AuditExportController {
  constructor(private readonly trail: AuditTrailService) {}

  @Get()
  @ApiOperation({
    operationId: 'exportAuditTrail',
    summary: 'Export the audit trail',
    description:
      'Stream entries, oldest first, as JSON Lines with a manifest as the last line, or as CSV. A JSON Lines export without filters can be verified offline.',
  })
  @ApiResponse({
    status: HttpStatus.OK,
    description: 'The entries, as an attachment',
    content: { 'application/x-ndjson': { schema: { type: 'string' } }, 'text/csv': { schema: { type: 'string' } } },
  })
  @Refuses('BadRequest', 'Unauthorized', 'RateLimited')
  async export(
    @CurrentActor() { tenantId }: Actor,
    @Query({ schema: ExportAuditEntries }) query: ExportAuditEntries,
    @Res({ passthrough: true }) reply: HaldirReply,
  ): Promise<StreamableFile> {
    const filter = toAuditFilter(query);
    const head = await this.trail.exportHead(tenantId);
    const isCsv = query.format === 'csv';
    void reply.header('x-haldir-export-manifest', isCsv ? 'out-of-band' : 'embedded-final-line');
    const lines = isCsv ? csvLines(this.trail, head, filter) : jsonLines(this.trail, head, filter);
    return new StreamableFile(Readable.from(lines), {
      type: isCsv ? 'text/csv; charset=utf-8' : 'application/x-ndjson',
      disposition: `attachment; filename="haldir-audit-${tenantId}-${head.size}.${query.format}"`,
    });
  }

  @Get('manifest')
  @ApiOperation({
    operationId: 'getExportManifest',
    summary: 'Get the manifest of an export',
    description: 'What an export with these filters would end with: its count, digest and checkpoint.',
  })
  @Returns(HttpStatus.OK, ManifestAnswer, 'Manifest')
  @Refuses('BadRequest', 'Unauthorized', 'RateLimited')
  async manifest(
    @CurrentActor() { tenantId }: Actor,
    @Query({ schema: ExportManifestQuery }) query: ExportManifestQuery,
  ): Promise<ManifestAnswer> {
    const filter = toAuditFilter(query);
    return toManifest(this.trail, await this.trail.manifest(tenantId, filter), filter);
  }
}
