import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { GateModule } from '@haldir/gate';
import { InvitationRepository } from './invitation.repository.js';
import { PEOPLE_ENTITIES } from './people-entities.js';
import { PeopleRepository } from './people.repository.js';
import { PeopleService } from './people.service.js';
import { SignInRepository } from './sign-in.repository.js';
import { SignInService } from './sign-in.service.js';

@Module({
  imports: [TypeOrmModule.forFeature(PEOPLE_ENTITIES), GateModule],
  providers: [InvitationRepository, PeopleRepository, PeopleService, SignInRepository, SignInService],
  exports: [PeopleService, SignInService],
})
export class PeopleModule {}
