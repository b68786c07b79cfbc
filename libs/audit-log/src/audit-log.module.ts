import { Global, Module } from '@nestjs/common';
import { AuditLog } from './audit-log.js';

/** Every domain records what it does; hence global. */
@Global()
@Module({ providers: [AuditLog], exports: [AuditLog] })
export class AuditLogModule {}
