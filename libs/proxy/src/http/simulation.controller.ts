import { Body, Controller, HttpStatus, Post } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { type Actor } from '@haldir/kernel';
import {
  CurrentActor,
  Refuses,
  RequiresScope,
  Returns,
  Write,
  type WriteRequest,
  Writes,
  JsonBody,
} from '@haldir/http';
import { SimulationService } from '../simulation/simulation.service.js';
import { SimulatedPolicies, SimulatePolicies, toSimulatedPolicies, toSimulationRequest } from './simulation.dto.js';

@ApiTags('proxy')
@Controller('v1/proxy/simulate')
export class SimulationController {
  constructor(
    private readonly simulations: SimulationService,
    private readonly writes: Writes,
  ) {}

  @Post()
  @RequiresScope('proxy:read')
  @ApiOperation({
    operationId: 'simulatePolicies',
    summary: 'Decide past calls again',
    description:
      "What would the tenant's policies, or proposed ones, have decided over its past calls? Calls are decided again as the log recorded them, in the order of their time, rates included. Approval rules are those of today, and what a human approved then counts as approved. Reads of resources and prompts are not among them, and count towards no rate here. Nothing is written or called.",
  })
  @JsonBody(SimulatePolicies)
  @Returns(HttpStatus.OK, SimulatedPolicies, 'What would have been decided')
  @Refuses('BadRequest', 'Unauthorized', 'RateLimited')
  async simulate(
    @CurrentActor() { tenantId }: Actor,
    @Body({ schema: SimulatePolicies }) body: SimulatePolicies,
    @Write() write: WriteRequest,
  ): Promise<SimulatedPolicies> {
    const earlier = await this.writes.earlier<SimulatedPolicies>(write);
    if (earlier) return earlier;
    const answer = toSimulatedPolicies(await this.simulations.run(tenantId, toSimulationRequest(body)));
    // A question changes nothing; only a key for its answer is written.
    return write.idempotencyKey === null ? answer : this.writes.run(write, () => Promise.resolve(answer));
  }
}
