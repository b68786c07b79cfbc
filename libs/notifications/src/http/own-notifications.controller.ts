import { Body, Controller, Get, HttpStatus, Put } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { type Actor } from '@haldir/kernel';
import { CurrentActor, ForPersons, Returns } from '@haldir/http';
import { NotificationsService } from '../notifications.service.js';
import { ChooseNotifications, OwnNotificationsView, toOwnNotificationsView } from './own-notifications.dto.js';

/** What whoever is signed in is told of. Described in docs/notifications.md, as all that is a person's own. */
@ApiExcludeController()
@Controller('v1/me/notifications')
export class OwnNotificationsController {
  constructor(private readonly notifications: NotificationsService) {}

  @Get()
  @ForPersons()
  @Returns(HttpStatus.OK, OwnNotificationsView, 'What the person is told of')
  async get(@CurrentActor() actor: Actor): Promise<OwnNotificationsView> {
    return toOwnNotificationsView(await this.notifications.of(actor));
  }

  @Put()
  @ForPersons()
  @Returns(HttpStatus.OK, OwnNotificationsView, 'What the person is told of from now on')
  async choose(
    @CurrentActor() actor: Actor,
    @Body({ schema: ChooseNotifications }) body: ChooseNotifications,
  ): Promise<OwnNotificationsView> {
    return toOwnNotificationsView(await this.notifications.choose(actor, body));
  }
}
