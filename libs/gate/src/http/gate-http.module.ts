import { Global, Module } from '@nestjs/common';
import { Authenticator } from '@haldir/http';
import { ApiKeyService } from '../api-key.service.js';
import { GateModule } from '../gate.module.js';
import { ApiKeyController } from './api-key.controller.js';
import { BudgetController } from './budget.controller.js';
import { SessionController } from './session.controller.js';

/** Also tells `http` who knows API keys; hence global. */
@Global()
@Module({
  imports: [GateModule],
  controllers: [ApiKeyController, BudgetController, SessionController],
  providers: [{ provide: Authenticator, useExisting: ApiKeyService }],
  exports: [Authenticator],
})
export class GateHttpModule {}
