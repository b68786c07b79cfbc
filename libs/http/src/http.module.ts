import './wire/schema-texts.js';
import { Global, Module } from '@nestjs/common';
import { APP_FILTER, APP_GUARD, APP_PIPE } from '@nestjs/core';
import { TypeOrmModule } from '@nestjs/typeorm';
import { ThrottlerModule } from '@nestjs/throttler';
import { ApiKeyGuard } from './auth/api-key.guard.js';
import { QueryNamesGuard } from './platform/query-names.guard.js';
import { Origins } from './auth/origins.js';
import { OwnPages } from './auth/own-pages.js';
import { Callers } from './auth/callers.js';
import { FailedAuthThrottle } from './quota/failed-auth-throttle.js';
import { Quota } from './quota/quota.js';
import { QuotaRepository } from './quota/quota.repository.js';
import { Cursors } from './wire/cursors.js';
import { ErrorFilter } from './wire/error.filter.js';
import { PublicAddress } from './wire/public-address.js';
import { SchemaPipe } from './wire/schema.pipe.js';
import { IdempotencyRecord } from './writes/idempotency-record.entity.js';
import { IdempotencyRepository } from './writes/idempotency.repository.js';
import { Writes } from './writes/writes.js';

/** What every route shares: authentication and quota, validation, errors, idempotent writes, cursors. */
@Global()
@Module({
  imports: [ThrottlerModule.forRoot({ throttlers: [] }), TypeOrmModule.forFeature([IdempotencyRecord])],
  providers: [
    ApiKeyGuard,
    { provide: APP_GUARD, useExisting: ApiKeyGuard },
    { provide: APP_GUARD, useClass: QueryNamesGuard },
    { provide: APP_PIPE, useFactory: () => new SchemaPipe() },
    { provide: APP_FILTER, useClass: ErrorFilter },
    Callers,
    Quota,
    QuotaRepository,
    FailedAuthThrottle,
    Cursors,
    IdempotencyRepository,
    Origins,
    OwnPages,
    PublicAddress,
    Writes,
  ],
  exports: [Callers, Cursors, FailedAuthThrottle, Origins, OwnPages, PublicAddress, Writes, Quota],
})
export class HttpModule {}
