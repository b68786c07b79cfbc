import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { EgressModule } from '@haldir/egress';
import { GateModule } from '@haldir/gate';
import { InvitationRepository } from './invitation.repository.js';
import { OidcFlows } from './oidc-flows.js';
import { OidcIdentityRepository } from './oidc-identity.repository.js';
import { OidcIssuer } from './oidc-issuer.js';
import { OidcPeople } from './oidc-people.js';
import { OidcSignInService } from './oidc-sign-in.service.js';
import { PEOPLE_ENTITIES } from './people-entities.js';
import { PasskeyChallenges } from './passkey-challenges.js';
import { PasskeyRepository } from './passkey.repository.js';
import { PasskeyService } from './passkey.service.js';
import { PasskeySignatures } from './passkey-signatures.js';
import { PeopleRepository } from './people.repository.js';
import { PeopleService } from './people.service.js';
import { RelyingParty } from './relying-party.js';
import { SignInRepository } from './sign-in.repository.js';
import { SignInService } from './sign-in.service.js';

@Module({
  imports: [TypeOrmModule.forFeature(PEOPLE_ENTITIES), EgressModule, GateModule],
  providers: [
    ...[InvitationRepository, PasskeyChallenges, PasskeyRepository, PasskeyService, PeopleRepository, PeopleService],
    ...[PasskeySignatures, RelyingParty, SignInRepository, SignInService],
    ...[OidcFlows, OidcIdentityRepository, OidcIssuer, OidcPeople, OidcSignInService],
  ],
  exports: [OidcSignInService, PasskeyService, PasskeySignatures, PeopleService, SignInService],
})
export class PeopleModule {}
