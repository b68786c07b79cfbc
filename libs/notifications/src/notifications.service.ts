import { Injectable } from '@nestjs/common';
import { type Actor, Clock, InvalidInput } from '@haldir/kernel';
import { AuditLog } from '@haldir/audit-log';
import { Transactions } from '@haldir/database';
import { SignInService } from '@haldir/people';
import { HaldirConfig } from '@haldir/runtime';
import { NotificationChoiceRepository } from './notification-choice.repository.js';
import { defaultKindsOf, mayRead, NOTIFICATION_KINDS, type NotificationKind } from './notification-kinds.js';

/** What a person is told of by e-mail. */
export interface OwnNotifications {
  email: string;
  /** Whether this Haldir sends any. */
  isSent: boolean;
  kinds: readonly NotificationKind[];
  /** Whether they chose so; else it is what those of their role are told of. */
  isChosen: boolean;
  /** What they may choose. */
  available: readonly NotificationKind[];
}

/** What people choose to be told of. */
@Injectable()
export class NotificationsService {
  constructor(
    private readonly choices: NotificationChoiceRepository,
    private readonly signIns: SignInService,
    private readonly transactions: Transactions,
    private readonly auditLog: AuditLog,
    private readonly config: HaldirConfig,
    private readonly clock: Clock,
  ) {}

  /** @param person who is signed in */
  async of(person: Actor): Promise<OwnNotifications> {
    const [{ person: who, membership }, choice] = await Promise.all([
      this.signIns.memberOf(person),
      this.choices.find(person.tenantId, person.id),
    ]);
    const available = NOTIFICATION_KINDS.filter((kind) => mayRead(membership.role, kind));
    const kinds = choice?.kinds ?? defaultKindsOf(membership.role);
    return {
      email: who.email,
      isSent: this.config.mail !== null,
      kinds: available.filter((kind) => kinds.includes(kind)),
      isChosen: choice !== null,
      available,
    };
  }

  /**
   * @param kinds null: what those of their role are told of
   * @throws InvalidInput for one that their role may not read
   */
  async choose(person: Actor, kinds: readonly NotificationKind[] | null): Promise<OwnNotifications> {
    const { tenantId, id: personId } = person;
    const { membership } = await this.signIns.memberOf(person);
    if (kinds?.some((kind) => !mayRead(membership.role, kind)))
      throw new InvalidInput('notify: expected nothing that your role may not read');
    await this.transactions.run(tenantId, async (tx) => {
      const choices = this.choices.in(tx);
      const chosen = kinds && NOTIFICATION_KINDS.filter((kind) => kinds.includes(kind));
      if (chosen) await choices.save({ tenantId, personId, kinds: chosen, changedAt: this.clock.now() });
      else await choices.remove(tenantId, personId);
      this.auditLog.record(tx, person, {
        source: 'haldir',
        ...{ tool: 'haldir.people', action: 'notifications_chosen', details: { person_id: personId, notify: chosen } },
      });
    });
    return this.of(person);
  }
}
