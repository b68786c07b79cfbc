import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { GateModule } from '@haldir/gate';
import { InvitationRepository } from './invitation.repository.js';
import { PEOPLE_ENTITIES } from './people-entities.js';
import { PasskeyChallenges } from './passkey-challenges.js';
import { PasskeyRepository } from './passkey.repository.js';
import { PasskeyService } from './passkey.service.js';
import { PeopleRepository } from './people.repository.js';
import { PeopleService } from './people.service.js';
import { RelyingParty } from './relying-party.js';
import { SignInRepository } from './sign-in.repository.js';
import { SignInService } from './sign-in.service.js';

@Module({
  imports: [TypeOrmModule.forFeature(PEOPLE_ENTITIES), GateModule],
  providers: [
    ...[InvitationRepository, PasskeyChallenges, PasskeyRepository, PasskeyService, PeopleRepository, PeopleService],
    ...[RelyingParty, SignInRepository, SignInService],
  ],
  exports: [PasskeyService, PeopleService, SignInService],
})
export class PeopleModule {}
