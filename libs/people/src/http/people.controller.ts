import { Body, Controller, Delete, Get, HttpStatus, Param, Patch, Post, Query } from '@nestjs/common';
import { ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import { type Actor } from '@haldir/kernel';
import {
  type Caller,
  CurrentActor,
  CurrentCaller,
  Cursors,
  JsonBody,
  Refuses,
  RequiresScope,
  Returns,
  Write,
  type WriteRequest,
  Writes,
} from '@haldir/http';
import { PeopleService } from '../people.service.js';
import {
  ChangePerson,
  InvitePerson,
  ListPeople,
  PersonDetail,
  PersonInvited,
  PersonList,
  PersonRemoved,
  toNewPerson,
  toPersonDetail,
  toPersonInvited,
} from './people.dto.js';

const PersonIdPath = () => ApiParam({ name: 'person_id', schema: { type: 'string' } });

@ApiTags('people')
@Controller('v1/people')
export class PeopleController {
  constructor(
    private readonly people: PeopleService,
    private readonly writes: Writes,
    private readonly cursors: Cursors,
  ) {}

  @Post()
  @RequiresScope('admin:write')
  @ApiOperation({
    operationId: 'invitePerson',
    summary: 'Invite a person',
    description:
      'Make somebody a person of the tenant, and a link that signs them in once, within 24 hours. For one who is there already, another link, for who has lost what they sign in with.',
  })
  @JsonBody(InvitePerson)
  @Returns(HttpStatus.CREATED, PersonInvited, 'Person invited')
  @Refuses('BadRequest', 'Unauthorized', 'Forbidden', 'Conflict', 'RateLimited')
  invite(
    @CurrentCaller() caller: Caller,
    @Body({ schema: InvitePerson }) body: InvitePerson,
    @Write() write: WriteRequest,
  ): Promise<PersonInvited> {
    return this.writes.run(write, async (tx) => {
      const { member, link } = await this.people.invite(tx, caller, toNewPerson(body));
      return toPersonInvited(member, link);
    });
  }

  @Get()
  @RequiresScope('admin:read')
  @ApiOperation({
    operationId: 'listPeople',
    summary: 'List people',
    description: 'List the people of the tenant in the order they were invited first.',
  })
  @Returns(HttpStatus.OK, PersonList, 'People')
  @Refuses('BadRequest', 'Unauthorized', 'Forbidden', 'RateLimited')
  async list(
    @CurrentActor() { tenantId }: Actor,
    @Query({ schema: ListPeople }) { limit, cursor }: ListPeople,
  ): Promise<PersonList> {
    const { items, nextCursor } = await this.cursors.listByText(
      { tenantId, list: 'people', filters: {} },
      { limit, cursor },
      (count, after) => this.people.list(tenantId, count, after),
      ({ person }) => person.id,
    );
    return { people: items.map(toPersonDetail), count: items.length, next_cursor: nextCursor };
  }

  @Patch(':person_id')
  @RequiresScope('admin:write')
  @PersonIdPath()
  @ApiOperation({
    operationId: 'changePerson',
    summary: "Change a person's role",
    description: 'Give somebody another role; it holds from their next request on. The last owner stays one.',
  })
  @JsonBody(ChangePerson)
  @Returns(HttpStatus.OK, PersonDetail, 'Role changed')
  @Refuses('BadRequest', 'Unauthorized', 'Forbidden', 'NotFound', 'Conflict', 'RateLimited')
  change(
    @CurrentCaller() caller: Caller,
    @Param('person_id') personId: string,
    @Body({ schema: ChangePerson }) { role }: ChangePerson,
    @Write() write: WriteRequest,
  ): Promise<PersonDetail> {
    return this.writes.run(write, async (tx) =>
      toPersonDetail(await this.people.changeRole(tx, caller, personId, role)),
    );
  }

  @Delete(':person_id')
  @RequiresScope('admin:write')
  @PersonIdPath()
  @ApiOperation({
    operationId: 'removePerson',
    summary: 'Remove a person',
    description: 'End everything of theirs at once: every sign-in, and the link. The last owner cannot be removed.',
  })
  @Returns(HttpStatus.OK, PersonRemoved, 'Person removed')
  @Refuses('Unauthorized', 'Forbidden', 'NotFound', 'Conflict', 'RateLimited')
  remove(
    @CurrentCaller() caller: Caller,
    @Param('person_id') personId: string,
    @Write() write: WriteRequest,
  ): Promise<PersonRemoved> {
    return this.writes.run(write, async (tx): Promise<PersonRemoved> => {
      await this.people.remove(tx, caller, personId);
      return { removed: true, person_id: personId };
    });
  }
}
