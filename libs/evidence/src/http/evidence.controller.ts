import { Readable } from 'node:stream';
import {
  Body,
  Controller,
  Delete,
  Get,
  Headers,
  HttpStatus,
  Param,
  Post,
  Query,
  Res,
  StreamableFile,
} from '@nestjs/common';
import { ApiHeader, ApiOperation, ApiParam, ApiResponse, ApiTags } from '@nestjs/swagger';
import { type Actor, Clock } from '@haldir/kernel';
import {
  type Caller,
  CurrentActor,
  CurrentCaller,
  Cursors,
  type HaldirReply,
  JsonBody,
  Refuses,
  RequiresScope,
  Returns,
  Write,
  type WriteRequest,
  Writes,
} from '@haldir/http';
import { EvidenceService } from '../evidence.service.js';
import {
  CreateEvidence,
  EvidenceDeleted,
  EvidenceDetail,
  EvidenceList,
  ListEvidence,
  rangeIn,
  toEvidenceDetail,
  toPeriod,
} from './evidence.dto.js';
import { requireReading } from './reading.js';

const EvidenceIdPath = () => ApiParam({ name: 'evidence_id', schema: { type: 'string' } });

/** Packages for auditors. What is in one takes the scopes that its parts take. */
@ApiTags('evidence')
@RequiresScope('audit:read')
@Controller('v1/evidence')
export class EvidenceController {
  constructor(
    private readonly evidence: EvidenceService,
    private readonly writes: Writes,
    private readonly cursors: Cursors,
    private readonly clock: Clock,
  ) {}

  @Post()
  @ApiOperation({
    operationId: 'createEvidencePackage',
    summary: 'Have evidence of a period made',
    description:
      'Make a ZIP for an auditor: the log up to the end of the period with its signed heads and proofs, policies, approvals, people and keys with their histories, and an index in plain language. It is made in the background and kept for 7 days; getEvidencePackage says how far it is. Of a period of which one is under way, that one is answered. Takes a key with audit:read, admin:read, approvals:read and proxy:read.',
  })
  @JsonBody(CreateEvidence)
  @Returns(HttpStatus.ACCEPTED, EvidenceDetail, 'The package that is made')
  @Refuses('BadRequest', 'Unauthorized', 'Forbidden', 'Conflict', 'RateLimited')
  create(
    @CurrentCaller() caller: Caller,
    @Body({ schema: CreateEvidence }) body: CreateEvidence,
    @Write() write: WriteRequest,
  ): Promise<EvidenceDetail> {
    requireReading(caller);
    const { from, to } = toPeriod(body, this.clock.now());
    return this.writes.run(write, async (tx) => toEvidenceDetail(await this.evidence.ask(tx, caller.actor, from, to)));
  }

  @Get()
  @ApiOperation({
    operationId: 'listEvidencePackages',
    summary: 'List evidence',
    description: 'Packages that are there, or are made, newest first.',
  })
  @Returns(HttpStatus.OK, EvidenceList, 'Packages')
  @Refuses('BadRequest', 'Unauthorized', 'RateLimited')
  async list(
    @CurrentActor() { tenantId }: Actor,
    @Query({ schema: ListEvidence }) { limit, cursor }: ListEvidence,
  ): Promise<EvidenceList> {
    const { items, nextCursor } = await this.cursors.listByText(
      { tenantId, list: 'evidence', filters: {} },
      { limit, cursor },
      (count, after) => this.evidence.list(tenantId, count, after),
      ({ id }) => id,
    );
    return { evidence: items.map(toEvidenceDetail), count: items.length, next_cursor: nextCursor };
  }

  @Get(':evidence_id')
  @EvidenceIdPath()
  @ApiOperation({
    operationId: 'getEvidencePackage',
    summary: 'See how far evidence is',
    description: 'Its state and progress; once it is done, its size and digest, and where it is.',
  })
  @Returns(HttpStatus.OK, EvidenceDetail, 'The package')
  @Refuses('Unauthorized', 'NotFound', 'RateLimited')
  async get(@CurrentActor() { tenantId }: Actor, @Param('evidence_id') id: string): Promise<EvidenceDetail> {
    return toEvidenceDetail(await this.evidence.get(tenantId, id));
  }

  @Get(':evidence_id/download')
  @EvidenceIdPath()
  @ApiOperation({
    operationId: 'downloadEvidencePackage',
    summary: 'Download evidence',
    description:
      'The ZIP. `haldir evidence verify` checks it, without any server. With `Range` a download that broke off goes on. Each download is an entry of the log. Takes the scopes that createEvidencePackage takes.',
  })
  @ApiHeader({
    name: 'Range',
    required: false,
    schema: { type: 'string' },
    description: 'One range of bytes; any other is answered with the whole',
  })
  @ApiHeader({
    name: 'If-Range',
    required: false,
    schema: { type: 'string' },
    description: 'The ETag of the answer before: of another package, the whole is answered',
  })
  @ApiResponse({
    status: HttpStatus.OK,
    description: 'The package, as an attachment',
    content: { 'application/zip': { schema: { type: 'string', format: 'binary' } } },
  })
  @ApiResponse({
    status: HttpStatus.PARTIAL_CONTENT,
    description: 'The part of it that was asked for',
    content: { 'application/zip': { schema: { type: 'string', format: 'binary' }, example: 'PK…' } },
  })
  @Refuses('Unauthorized', 'Forbidden', 'NotFound', 'Conflict', 'RateLimited')
  async download(
    @CurrentCaller() caller: Caller,
    @Param('evidence_id') id: string,
    @Headers('range') range: string | undefined,
    @Headers('if-range') ifRange: string | undefined,
    @Res({ passthrough: true }) reply: HaldirReply,
  ): Promise<StreamableFile> {
    requireReading(caller);
    const found = await this.evidence.open(caller.actor, id, (size, sha256) =>
      ifRange === undefined || ifRange === tagOf(sha256) ? rangeIn(range, size) : null,
    );
    const { first, last } = found.range ?? { first: 0, last: found.size - 1 };
    void reply.headers({ 'accept-ranges': 'bytes', etag: tagOf(found.sha256) });
    if (found.range) {
      void reply.status(HttpStatus.PARTIAL_CONTENT).header('content-range', `bytes ${first}-${last}/${found.size}`);
    }
    return new StreamableFile(Readable.from(found.bytes, { objectMode: false }), {
      type: 'application/zip',
      disposition: `attachment; filename="haldir-${id}.zip"`,
      length: last - first + 1,
    });
  }

  @Delete(':evidence_id')
  @EvidenceIdPath()
  @ApiOperation({
    operationId: 'deleteEvidencePackage',
    summary: 'Delete evidence',
    description:
      'Remove a package before its time, or have it made no further. It can be made anew. Takes what making one takes.',
  })
  @Returns(HttpStatus.OK, EvidenceDeleted, 'Package deleted')
  @Refuses('Unauthorized', 'Forbidden', 'NotFound', 'RateLimited')
  delete(
    @CurrentCaller() caller: Caller,
    @Param('evidence_id') id: string,
    @Write() write: WriteRequest,
  ): Promise<EvidenceDeleted> {
    requireReading(caller);
    return this.writes.run(write, async (tx): Promise<EvidenceDeleted> => {
      await this.evidence.remove(tx, caller.actor, id);
      return { deleted: true, evidence_id: id };
    });
  }
}

const tagOf = (sha256: string): string => `"${sha256}"`;
