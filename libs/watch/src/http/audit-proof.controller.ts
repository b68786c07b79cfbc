import { Controller, Get, Header, HttpStatus, Param, Query } from '@nestjs/common';
import { ApiOperation, ApiParam, ApiResponse, ApiTags } from '@nestjs/swagger';
import { type Actor, InvalidInput } from '@haldir/kernel';
import { LogProofs, LogTree } from '@haldir/audit-log';
import { CurrentActor, Cursors, Refuses, RequiresScope, Returns } from '@haldir/http';
import { AuditTrailService } from '../audit-trail.service.js';
import { ChainVerification } from '../chain-verification.js';
import { AuditEntryNotFound } from '../watch.errors.js';
import {
  ChainChecked,
  CheckpointList,
  ConsistencyProofAnswer,
  ConsistencyQuery,
  InclusionProofAnswer,
  ListCheckpoints,
  LogKeyAnswer,
  toChainChecked,
  toConsistencyProof,
  toInclusionProof,
  toLogKey,
  toTreeHead,
  TreeHeadAnswer,
} from './audit-proof.dto.js';

/** What it takes to check a log without trusting whoever keeps it. */
@ApiTags('audit')
@RequiresScope('audit:read')
@Controller('v1/audit')
export class AuditProofController {
  constructor(
    private readonly trail: AuditTrailService,
    private readonly chain: ChainVerification,
    private readonly tree: LogTree,
    private readonly proofs: LogProofs,
    private readonly cursors: Cursors,
  ) {}

  @Get('verify')
  @ApiOperation({
    operationId: 'verifyAuditTrail',
    summary: 'Verify the audit trail',
    description:
      'Check every column of every entry, their links, and that they are what was signed. Takes a second for some ten thousand entries.',
  })
  @Returns(HttpStatus.OK, ChainChecked, 'What the check found')
  @Refuses('Unauthorized', 'RateLimited')
  async verify(@CurrentActor() { tenantId }: Actor): Promise<ChainChecked> {
    return toChainChecked(await this.chain.verify(tenantId));
  }

  @Get('tree-head')
  @ApiOperation({
    operationId: 'getTreeHead',
    summary: 'Get the signed tree head',
    description:
      'The size and Merkle root of the log, signed by its own key. Holds every entry written before the request.',
  })
  @Returns(HttpStatus.OK, TreeHeadAnswer, 'Signed tree head')
  @Refuses('Unauthorized', 'RateLimited')
  async treeHead(@CurrentActor() { tenantId }: Actor): Promise<TreeHeadAnswer> {
    return toTreeHead(await this.tree.head(tenantId));
  }

  @Get('checkpoint')
  @Header('content-type', 'text/plain; charset=utf-8')
  @ApiOperation({
    operationId: 'getCheckpoint',
    summary: 'Get the checkpoint',
    description: 'The signed tree head as a C2SP checkpoint in a signed note, for tools that read those.',
  })
  @ApiResponse({
    status: HttpStatus.OK,
    description: 'C2SP signed note',
    content: { 'text/plain': { schema: { type: 'string' } } },
  })
  @Refuses('Unauthorized', 'RateLimited')
  async checkpoint(@CurrentActor() { tenantId }: Actor): Promise<string> {
    return (await this.tree.head(tenantId)).note;
  }

  @Get('checkpoints')
  @ApiOperation({
    operationId: 'listCheckpoints',
    summary: 'List checkpoints',
    description: 'Every tree head that was signed, newest first.',
  })
  @Returns(HttpStatus.OK, CheckpointList, 'Signed tree heads')
  @Refuses('BadRequest', 'Unauthorized', 'RateLimited')
  async checkpoints(
    @CurrentActor() { tenantId }: Actor,
    @Query({ schema: ListCheckpoints }) { limit, cursor }: ListCheckpoints,
  ): Promise<CheckpointList> {
    const { items, nextCursor } = await this.cursors.listByNumber(
      { tenantId, list: 'checkpoints', filters: {} },
      { limit, cursor },
      (count, before) => this.tree.history(tenantId, count, before),
      ({ size }) => size,
    );
    return { checkpoints: items.map(toTreeHead), count: items.length, next_cursor: nextCursor };
  }

  @Get('log-key')
  @ApiOperation({
    operationId: 'getLogKey',
    summary: 'Get the public key of the log',
    description:
      'The key that signs checkpoints, as a C2SP verifier key and as a JWK set. Keep it where the log cannot reach.',
  })
  @Returns(HttpStatus.OK, LogKeyAnswer, 'Public key')
  @Refuses('Unauthorized', 'RateLimited')
  async logKey(@CurrentActor() { tenantId }: Actor): Promise<LogKeyAnswer> {
    return toLogKey(await this.tree.head(tenantId, 0));
  }

  @Get('inclusion-proof/:entry_id')
  @ApiParam({ name: 'entry_id', description: 'Entry ID', schema: { type: 'string' } })
  @ApiOperation({
    operationId: 'getInclusionProof',
    summary: 'Prove that an entry is in the log',
    description:
      'A Merkle path from the entry to a signed tree head, with the entry as an export shows it, but for its details and context.',
  })
  @Returns(HttpStatus.OK, InclusionProofAnswer, 'Inclusion proof')
  @Refuses('Unauthorized', 'NotFound', 'RateLimited')
  async inclusion(
    @CurrentActor() { tenantId }: Actor,
    @Param('entry_id') entryId: string,
  ): Promise<InclusionProofAnswer> {
    const proof = await this.proofs.inclusion(tenantId, entryId);
    const entry = proof && (await this.trail.bareAt(tenantId, proof.leafIndex));
    if (!entry) throw new AuditEntryNotFound();
    return toInclusionProof(entry, proof);
  }

  @Get('consistency-proof')
  @ApiOperation({
    operationId: 'getConsistencyProof',
    summary: 'Prove that the log only grew',
    description: 'That the log of the first size is how the log of the second size began.',
  })
  @Returns(HttpStatus.OK, ConsistencyProofAnswer, 'Consistency proof')
  @Refuses('BadRequest', 'Unauthorized', 'RateLimited')
  async consistency(
    @CurrentActor() { tenantId }: Actor,
    @Query({ schema: ConsistencyQuery }) { first, second }: ConsistencyQuery,
  ): Promise<ConsistencyProofAnswer> {
    if (first > second) throw new InvalidInput('first: expected at most second');
    const proof = await this.proofs.consistency(tenantId, first, second);
    if (!proof) throw new InvalidInput('second: expected at most the size of the log');
    return toConsistencyProof(proof);
  }
}
