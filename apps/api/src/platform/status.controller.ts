import { Controller, Get, HttpStatus, Redirect } from '@nestjs/common';
import { ApiExcludeEndpoint, ApiOperation, ApiTags } from '@nestjs/swagger';
import { OwnPages, PublicRoute, Returns } from '@haldir/http';
import { Status, StatusReport } from './status-report.js';

/** Addresses that clients of v1 know. */
@ApiTags('gate')
@PublicRoute()
@Controller()
export class StatusController {
  constructor(
    private readonly report: StatusReport,
    private readonly pages: OwnPages,
  ) {}

  @Get('v1/status')
  @ApiOperation({
    operationId: 'getStatus',
    summary: 'Get the status of the service',
    description: 'How its parts are, and how requests went. No authentication required.',
    security: [],
  })
  @Returns(HttpStatus.OK, Status, 'Status')
  status(): Promise<Status> {
    return this.report.now();
  }

  @Get('swagger')
  @ApiExcludeEndpoint()
  @Redirect('/docs', HttpStatus.FOUND)
  swagger(): { url: string } {
    return { url: this.pages.pathOf('/docs') };
  }
}
