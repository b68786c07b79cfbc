import { Controller, Delete, Get, HttpStatus, Param, Post, Query, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { type Actor } from '@haldir/kernel';
import {
  type Caller,
  CurrentActor,
  CurrentCaller,
  Cursors,
  ForPersons,
  type HaldirReply,
  NO_PERSON_COOKIE,
  Returns,
} from '@haldir/http';
import { SignInNotFound } from '../people.errors.js';
import { SignInService } from '../sign-in.service.js';
import { ListSignIns, SignInEnded, SignInList, toSignInDetail, toWhoAmI, WhoAmI } from './sign-in.dto.js';

/** What is a person's own. For pages of Haldir's own, so docs/people.md describes it, and not the document that clients are made of. */
@ApiExcludeController()
@Controller('v1/me')
export class OwnSignInController {
  constructor(
    private readonly signIns: SignInService,
    private readonly cursors: Cursors,
  ) {}

  @Get()
  @ForPersons()
  @Returns(HttpStatus.OK, WhoAmI, 'Who is signed in')
  async whoAmI(@CurrentCaller() { actor, keyId }: Caller): Promise<WhoAmI> {
    const [member, signIn] = await Promise.all([
      this.signIns.memberOf(actor),
      this.signIns.find(actor.tenantId, keyId),
    ]);
    if (!signIn) throw new SignInNotFound();
    return toWhoAmI(member, signIn);
  }

  @Post('sign-out')
  @ForPersons()
  @Returns(HttpStatus.OK, SignInEnded, 'Signed out')
  async signOut(
    @CurrentCaller() { actor, keyId }: Caller,
    @Res({ passthrough: true }) reply: HaldirReply,
  ): Promise<SignInEnded> {
    await this.signIns.end(actor, keyId);
    void reply.header('set-cookie', NO_PERSON_COOKIE);
    return { ended: true, sign_in_id: keyId };
  }

  @Get('sign-ins')
  @ForPersons()
  @Returns(HttpStatus.OK, SignInList, 'Sign-ins')
  async list(
    @CurrentCaller() { actor, keyId }: Caller,
    @Query({ schema: ListSignIns }) { limit, cursor }: ListSignIns,
  ): Promise<SignInList> {
    const { items, nextCursor } = await this.cursors.listByText(
      { tenantId: actor.tenantId, list: 'sign_ins', filters: { person: actor.id } },
      { limit, cursor },
      (count, before) => this.signIns.list(actor, count, before),
      ({ id }) => id,
    );
    const shown = items.map((signIn) => toSignInDetail(signIn, keyId));
    return { sign_ins: shown, count: items.length, next_cursor: nextCursor };
  }

  @Delete('sign-ins/:sign_in_id')
  @ForPersons()
  @Returns(HttpStatus.OK, SignInEnded, 'Sign-in ended')
  async end(@CurrentActor() actor: Actor, @Param('sign_in_id') signInId: string): Promise<SignInEnded> {
    await this.signIns.end(actor, signInId);
    return { ended: true, sign_in_id: signInId };
  }
}
