import { Module, type OnApplicationShutdown } from '@nestjs/common';
import { HaldirConfig } from '@haldir/runtime';
import { Egress } from './egress.js';
import { EgressPolicy } from './egress-policy.js';

/** Provides the process's one `Egress`, with the allow-list of the configuration, and cuts its connections at shutdown. */
@Module({
  providers: [
    {
      provide: Egress,
      inject: [HaldirConfig],
      useFactory: (config: HaldirConfig) => new Egress(new EgressPolicy(config.egress.allow)),
    },
  ],
  exports: [Egress],
})
export class EgressModule implements OnApplicationShutdown {
  constructor(private readonly egress: Egress) {}

  async onApplicationShutdown(): Promise<void> {
    await this.egress.close();
  }
}
