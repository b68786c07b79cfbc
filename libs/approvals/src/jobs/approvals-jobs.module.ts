import { Module } from '@nestjs/common';
import { QueueModule, queues } from '@haldir/queue';
import { ApprovalsModule } from '../approvals.module.js';
import { ApprovalExpiryProcessor } from './approval-expiry.processor.js';
import { UntoldRequests } from './untold-requests.js';

@Module({
  imports: [ApprovalsModule, QueueModule.for(queues.approvalExpiry)],
  providers: [ApprovalExpiryProcessor, UntoldRequests],
})
export class ApprovalsJobsModule {}
