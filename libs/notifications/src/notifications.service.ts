import { Injectable } from '@nestjs/common';
import { type Actor, Clock, InvalidInput } from '@haldir/kernel';
import { AuditLog } from '@haldir/audit-log';
import { Transactions } from '@haldir/database';
import { SignInService } from '@haldir/people';
import { HaldirConfig } from '@haldir/runtime';
import { NotificationChoiceRepository } from './notification-choice.repository.js';
import { defaultKindsOf, mayRead, NOTIFICATION_KINDS, type NotificationKind } from './notification-kinds.js';

/** What a person is told of by one medium. */
interface Choice {
  kinds: readonly NotificationKind[];
  /** Whether they chose so; else it is what those of their role are told of. */
  isChosen: boolean;
}

/** What a person is told of. */
export interface OwnNotifications {
  email: string;
  /** Whether this Haldir sends any. */
  isSent: boolean;
  mail: Choice;
  push: Choice;
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
    const choiceOf = (chosen: readonly NotificationKind[] | null): Choice => {
      const kinds = chosen ?? defaultKindsOf(membership.role);
      return { kinds: available.filter((kind) => kinds.includes(kind)), isChosen: chosen !== null };
    };
    return {
      email: who.email,
      isSent: this.config.mail !== null,
      available,
      mail: choiceOf(choice?.kinds ?? null),
      push: choiceOf(choice?.pushKinds ?? null),
    };
  }

  /**
   * @param wanted null: what those of their role are told of; what is not named stays
   * @throws InvalidInput for one that their role may not read
   */
  async choose(
    person: Actor,
    wanted: {
      notify?: readonly NotificationKind[] | null | undefined;
      push?: readonly NotificationKind[] | null | undefined;
    },
  ): Promise<OwnNotifications> {
    const { tenantId, id: personId } = person;
    const { membership } = await this.signIns.memberOf(person);
    for (const member of ['notify', 'push'] as const) {
      if (wanted[member]?.some((kind) => !mayRead(membership.role, kind)))
        throw new InvalidInput(`${member}: expected nothing that your role may not read`);
    }
    await this.transactions.run(tenantId, async (tx) => {
      const choices = this.choices.in(tx);
      const before = await choices.find(tenantId, personId);
      const kinds = ordered(wanted.notify, before?.kinds);
      const pushKinds = ordered(wanted.push, before?.pushKinds);
      if (kinds ?? pushKinds) await choices.save({ tenantId, personId, kinds, pushKinds, changedAt: this.clock.now() });
      else await choices.remove(tenantId, personId);
      this.auditLog.record(tx, person, {
        source: 'haldir',
        tool: 'haldir.people',
        action: 'notifications_chosen',
        details: { person_id: personId, notify: kinds, push: pushKinds },
      });
    });
    return this.of(person);
  }
}

/** Each once, in the order of the list. @param before what holds where nothing is wanted */
function ordered(
  wanted: readonly NotificationKind[] | null | undefined,
  before: NotificationKind[] | null = null,
): NotificationKind[] | null {
  if (wanted === undefined) return before;
  return wanted && NOTIFICATION_KINDS.filter((kind) => wanted.includes(kind));
}
