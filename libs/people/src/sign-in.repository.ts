import { Injectable } from '@nestjs/common';
import { columnsOf, Transactions, type Tx } from '@haldir/database';
import { type Tier } from '@haldir/runtime';
import { LessThan, MoreThan } from 'typeorm';
import { type Role } from './roles.js';
import { SignIn } from './sign-in.entity.js';

const SIGN_IN = columnsOf(SignIn);

/** Everything that a cookie stands for. */
export interface LiveSignIn {
  signIn: SignIn;
  email: string;
  role: Role;
  membershipMac: Buffer;
  tier: Tier;
  isOperator: boolean;
}

interface LiveRow {
  email: string;
  role: Role;
  membership_mac: Buffer;
  tier: Tier;
  is_operator: boolean;
}

// Before a cookie is known to be good, nothing is known of its tenant: a function that sees all sign-ins answers about the one
// that was asked for.
const live = {
  name: 'sign_in.live.v1',
  text: `SELECT ${SIGN_IN.list}, email, role, membership_mac, tier, is_operator FROM sign_in_live($1)`,
};

@Injectable()
export class SignInRepository {
  constructor(private readonly transactions: Transactions) {}

  /** What the cookie of that hash stands for, of a person who was not removed. */
  async findLive(hash: Buffer): Promise<LiveSignIn | null> {
    const [row] = await this.transactions.queryAll<LiveRow>(live, [hash]);
    if (!row) return null;
    const { email, role, membership_mac: membershipMac, tier, is_operator: isOperator } = row;
    return { signIn: SIGN_IN.toEntity(row), email, role, membershipMac, tier, isOperator };
  }

  async markUsed(tenantId: string, id: string, now: Date): Promise<void> {
    await this.transactions.run(tenantId, (tx) =>
      tx.manager.update(SignIn, { tenantId, id, usedAt: LessThan(now) }, { usedAt: now }),
    );
  }

  find(tenantId: string, id: string): Promise<SignIn | null> {
    return this.transactions.read(tenantId, (manager) => manager.findOneBy(SignIn, { tenantId, id }));
  }

  /** Up to `limit` of the person's, newest first, behind the one with id `before`: those that are live. */
  list(
    tenantId: string,
    personId: string,
    usedSince: Date,
    now: Date,
    limit: number,
    before: string | null,
  ): Promise<SignIn[]> {
    return this.transactions.read(tenantId, (manager) => {
      const query = manager
        .createQueryBuilder(SignIn, 's')
        .where({ tenantId, personId, usedAt: MoreThan(usedSince), expiresAt: MoreThan(now) })
        .orderBy('s.id', 'DESC')
        .limit(limit);
      if (before !== null) query.andWhere('s.id < :before', { before });
      return query.getMany();
    });
  }

  in(tx: Tx) {
    return {
      insert: (signIn: SignIn): Promise<unknown> => tx.manager.insert(SignIn, signIn),
      /** False when the person has none of that id. */
      end: async (tenantId: string, personId: string, id: string): Promise<boolean> =>
        (await tx.manager.delete(SignIn, { tenantId, personId, id })).affected === 1,
      endAll: (tenantId: string, personId: string): Promise<unknown> =>
        tx.manager.delete(SignIn, { tenantId, personId }),
      /** Leaves the person `keep` sign-ins, the newest. */
      removeOldest: async (tenantId: string, personId: string, keep: number): Promise<void> => {
        const old = await tx.manager.find(SignIn, {
          where: { tenantId, personId },
          order: { id: 'DESC' },
          skip: keep,
          take: keep,
        });
        for (const { id } of old) await tx.manager.delete(SignIn, { tenantId, id });
      },
    };
  }
}
