import { Global, Module } from '@nestjs/common';
import { PersonAuthenticator } from '@haldir/http';
import { PeopleModule } from '../people.module.js';
import { SignInService } from '../sign-in.service.js';
import { BrowserSignIns } from './browser-sign-ins.js';
import { OidcSignInController } from './oidc-sign-in.controller.js';
import { OwnSignInController } from './own-sign-in.controller.js';
import { OwnPasskeyController } from './own-passkey.controller.js';
import { PeopleController } from './people.controller.js';
import { SignInController } from './sign-in.controller.js';
import { WelcomePageController } from './welcome-page.controller.js';

/** Also tells `http` who knows people; hence global. */
@Global()
@Module({
  imports: [PeopleModule],
  controllers: [
    ...[OidcSignInController, OwnPasskeyController, OwnSignInController, PeopleController, SignInController],
    WelcomePageController,
  ],
  providers: [BrowserSignIns, { provide: PersonAuthenticator, useExisting: SignInService }],
  exports: [PersonAuthenticator],
})
export class PeopleHttpModule {}
