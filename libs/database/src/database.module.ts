import { Global, Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { HaldirConfig } from '@haldir/runtime';
import { dataSourceOptions } from './data-source-options.js';
import { Notices } from './notices.js';
import { Transactions } from './transactions.js';

/** The connection pool, entities and transactions of a process. Migrations are never run from here. */
@Global()
@Module({
  imports: [
    TypeOrmModule.forRootAsync({
      inject: [HaldirConfig],
      useFactory: (config: HaldirConfig) => ({
        ...dataSourceOptions(config.database.url, config.database.poolSize),
        autoLoadEntities: true,
        retryAttempts: 10,
        retryDelay: 1000,
      }),
    }),
  ],
  providers: [Notices, Transactions],
  exports: [Notices, Transactions],
})
export class DatabaseModule {}
