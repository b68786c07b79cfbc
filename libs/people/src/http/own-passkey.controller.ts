import { Body, Controller, Delete, Get, HttpStatus, Param, Post, Query, Req } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { type Actor } from '@haldir/kernel';
import { CurrentActor, Cursors, ForPersons, type HaldirRequest, OwnPages, Returns } from '@haldir/http';
import { PasskeyService } from '../passkey.service.js';
import {
  EnrolPasskey,
  ListPasskeys,
  PasskeyDetail,
  PasskeyList,
  PasskeyOptions,
  PasskeyRemoved,
  toPasskeyDetail,
} from './passkey.dto.js';

/** The passkeys of whoever is signed in. */
@ApiExcludeController()
@Controller('v1/me/passkeys')
export class OwnPasskeyController {
  constructor(
    private readonly passkeys: PasskeyService,
    private readonly pages: OwnPages,
    private readonly cursors: Cursors,
  ) {}

  @Post('options')
  @ForPersons()
  @Returns(HttpStatus.OK, PasskeyOptions, 'What a passkey is made by')
  async options(@CurrentActor() actor: Actor): Promise<PasskeyOptions> {
    return { ...(await this.passkeys.enrolmentOptions(actor)) };
  }

  @Post()
  @ForPersons()
  @Returns(HttpStatus.CREATED, PasskeyDetail, 'Passkey enrolled')
  async enrol(
    @CurrentActor() actor: Actor,
    @Body({ schema: EnrolPasskey }) { credential, name }: EnrolPasskey,
    @Req() request: HaldirRequest,
  ): Promise<PasskeyDetail> {
    return toPasskeyDetail(await this.passkeys.enrol(actor, credential, name, this.pages.check(request)));
  }

  @Get()
  @ForPersons()
  @Returns(HttpStatus.OK, PasskeyList, 'Passkeys')
  async list(
    @CurrentActor() actor: Actor,
    @Query({ schema: ListPasskeys }) { limit, cursor }: ListPasskeys,
  ): Promise<PasskeyList> {
    const { items, nextCursor } = await this.cursors.listByText(
      { tenantId: actor.tenantId, list: 'passkeys', filters: { person: actor.id } },
      { limit, cursor },
      (count, before) => this.passkeys.list(actor, count, before),
      ({ id }) => id,
    );
    return { passkeys: items.map(toPasskeyDetail), count: items.length, next_cursor: nextCursor };
  }

  @Delete(':passkey_id')
  @ForPersons()
  @Returns(HttpStatus.OK, PasskeyRemoved, 'Passkey removed')
  async remove(@CurrentActor() actor: Actor, @Param('passkey_id') passkeyId: string): Promise<PasskeyRemoved> {
    await this.passkeys.remove(actor, passkeyId);
    return { removed: true, passkey_id: passkeyId };
  }
}
