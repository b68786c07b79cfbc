import { Body, Controller, Delete, Get, HttpStatus, Param, Post, Query } from '@nestjs/common';
import { ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import { type Actor } from '@haldir/kernel';
import {
  CurrentActor,
  Cursors,
  Refuses,
  RequiresScope,
  Returns,
  Write,
  type WriteRequest,
  Writes,
  JsonBody,
} from '@haldir/http';
import { AuditRuleService } from '../audit-rule.service.js';
import {
  AddAuditRule,
  AuditRuleAdded,
  AuditRuleList,
  AuditRuleRemoved,
  ListAuditRules,
  toAuditRuleItem,
  toLimits,
} from './audit-rule.dto.js';

@ApiTags('watch')
@Controller('v1/audit/rules')
export class AuditRuleController {
  constructor(
    private readonly rules: AuditRuleService,
    private readonly writes: Writes,
    private readonly cursors: Cursors,
  ) {}

  @Post()
  @RequiresScope('audit:write')
  @ApiOperation({
    operationId: 'addAuditRule',
    summary: 'Set a flag rule',
    description: 'Set the rule of a type, in place of the one there was. It decides from the next entry on.',
  })
  @JsonBody(AddAuditRule)
  @Returns(HttpStatus.CREATED, AuditRuleAdded, 'Rule set')
  @Refuses('BadRequest', 'Unauthorized', 'RateLimited')
  add(
    @CurrentActor() actor: Actor,
    @Body({ schema: AddAuditRule }) body: AddAuditRule,
    @Write() write: WriteRequest,
  ): Promise<AuditRuleAdded> {
    return this.writes.run(write, async (tx): Promise<AuditRuleAdded> => {
      const { id, limits } = await this.rules.put(tx, actor, toLimits(body));
      return { added: true, type: limits.type, id };
    });
  }

  @Get()
  @RequiresScope('audit:read')
  @ApiOperation({
    operationId: 'listAuditRules',
    summary: 'List flag rules',
    description:
      'List the rules by which entries are flagged as they are written. Every tenant starts with one of each type.',
  })
  @Returns(HttpStatus.OK, AuditRuleList, 'Flag rules')
  @Refuses('BadRequest', 'Unauthorized', 'RateLimited')
  async list(
    @CurrentActor() { tenantId }: Actor,
    @Query({ schema: ListAuditRules }) { limit, cursor }: ListAuditRules,
  ): Promise<AuditRuleList> {
    const { items, nextCursor } = await this.cursors.listByText(
      { tenantId, list: 'audit_rules', filters: {} },
      { limit, cursor },
      (count, after) => this.rules.list(tenantId, count, after),
      ({ id }) => id,
    );
    return { rules: items.map(toAuditRuleItem), count: items.length, next_cursor: nextCursor };
  }

  @Delete(':rule_id')
  @RequiresScope('audit:write')
  @ApiParam({ name: 'rule_id', schema: { type: 'string' } })
  @ApiOperation({
    operationId: 'removeAuditRule',
    summary: 'Remove a flag rule',
    description: 'Remove a rule; nothing is flagged by it from the next entry on.',
  })
  @Returns(HttpStatus.OK, AuditRuleRemoved, 'Rule removed')
  @Refuses('Unauthorized', 'NotFound', 'RateLimited')
  remove(
    @CurrentActor() actor: Actor,
    @Param('rule_id') ruleId: string,
    @Write() write: WriteRequest,
  ): Promise<AuditRuleRemoved> {
    return this.writes.run(write, async (tx): Promise<AuditRuleRemoved> => {
      await this.rules.remove(tx, actor, ruleId);
      return { deleted: true, id: ruleId };
    });
  }
}
