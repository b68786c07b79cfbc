import { BullModule } from '@nestjs/bullmq';
import { type DynamicModule, Global, Module } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { QueueConnection } from './queue-connection.js';
import { QueueWatch } from './queue-watch.js';
import { type QueueDefinition } from './queues.js';
import { ScheduleKeeper } from './schedule-keeper.js';

@Global()
@Module({
  imports: [DiscoveryModule],
  providers: [QueueConnection, QueueWatch, ScheduleKeeper],
  exports: [QueueConnection, ScheduleKeeper],
})
class QueueConnectionModule {}

/** Import once per process; `QueueModule.for(…)` gives a module the queues it adds to or processes. */
@Module({
  imports: [
    QueueConnectionModule,
    BullModule.forRootAsync({
      inject: [QueueConnection],
      useFactory: (connection: QueueConnection) => ({
        ...connection.options,
        defaultJobOptions: { removeOnComplete: { age: 300, count: 1000 }, removeOnFail: { age: 86_400, count: 1000 } },
      }),
    }),
  ],
})
export class QueueModule {
  static for(...queues: QueueDefinition[]): DynamicModule {
    return BullModule.registerQueue(...queues.map(({ name }) => ({ name })));
  }
}
