import { Module } from '@nestjs/common';
import { QueueModule, queues } from '@haldir/queue';
import { GateModule } from '../gate.module.js';
import { SessionExpiryProcessor } from './session-expiry.processor.js';

@Module({
  imports: [GateModule, QueueModule.for(queues.sessionExpiry)],
  providers: [SessionExpiryProcessor],
})
export class GateJobsModule {}
