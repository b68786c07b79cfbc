import { type DynamicModule, Global, Module } from '@nestjs/common';
import { Clock, SystemClock } from '@haldir/kernel';
import { HaldirConfig } from './haldir-config.js';
import { createLogger, Log } from './log.js';
import { Metrics } from './metrics.js';

/** The one global module: settings, the clock, the log and metrics, which every other module may ask for. */
@Global()
@Module({})
export class RuntimeModule {
  static with(
    config: HaldirConfig,
    process: 'api' | 'worker',
    log: Log = createLogger(config.logLevel),
  ): DynamicModule {
    return {
      module: RuntimeModule,
      providers: [
        { provide: HaldirConfig, useValue: config },
        { provide: Clock, useClass: SystemClock },
        { provide: Log, useValue: log },
        { provide: Metrics, useValue: new Metrics(process) },
      ],
      exports: [HaldirConfig, Clock, Log, Metrics],
    };
  }
}
