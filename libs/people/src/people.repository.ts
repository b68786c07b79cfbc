import { Injectable } from '@nestjs/common';
import { Transactions, type Tx } from '@haldir/database';
import { type Tier } from '@haldir/runtime';
import { IsNull, Not } from 'typeorm';
import { Membership } from './membership.entity.js';
import { Person } from './person.entity.js';
import { type TenantFacts } from './person-grants.js';

const PEOPLE_LOCK = 7_247_412;

/** A person and what they may do. */
export interface Member {
  person: Person;
  membership: Membership;
}

@Injectable()
export class PeopleRepository {
  constructor(private readonly transactions: Transactions) {}

  /** Up to `limit` people of the tenant in the order they were made, behind the one with id `after`; removed ones left out. */
  list(tenantId: string, limit: number, after: string | null): Promise<Member[]> {
    return this.transactions.read(tenantId, async (manager) => {
      const query = manager
        .createQueryBuilder(Person, 'p')
        .innerJoinAndMapOne(
          'p.membership',
          Membership,
          'm',
          'm.tenantId = p.tenantId AND m.personId = p.id AND m.removedAt IS NULL',
        )
        .where('p.tenantId = :tenantId', { tenantId })
        .orderBy('p.id', 'ASC')
        .limit(limit);
      if (after !== null) query.andWhere('p.id > :after', { after });
      const people = (await query.getMany()) as (Person & { membership: Membership })[];
      return people.map((person) => ({ person, membership: person.membership }));
    });
  }

  in(tx: Tx) {
    return {
      /** One change of a tenant's people at a time, until the transaction ends. */
      hold: (tenantId: string): Promise<unknown> =>
        tx.query('SELECT pg_advisory_xact_lock($1, hashtext($2))', [PEOPLE_LOCK, tenantId]),
      tenant: async (tenantId: string): Promise<TenantFacts> => {
        const [row] = await tx.query<{ tier: Tier; is_operator: boolean }>(
          'SELECT tier, is_operator FROM tenant WHERE id = $1',
          [tenantId],
        );
        if (!row) throw new Error('there is no such tenant');
        return { tier: row.tier, isOperator: row.is_operator };
      },
      find: async (tenantId: string, personId: string): Promise<Member | null> => {
        const person = await tx.manager.findOneBy(Person, { tenantId, id: personId });
        return person && withMembership(tx, person);
      },
      findByEmail: async (tenantId: string, email: string): Promise<Member | null> => {
        const person = await tx.manager.findOneBy(Person, { tenantId, email });
        return person && withMembership(tx, person);
      },
      /** Removed ones included, whose rows stay. */
      count: (tenantId: string): Promise<number> => tx.manager.countBy(Membership, { tenantId }),
      insert: async ({ person, membership }: Member): Promise<void> => {
        await tx.manager.insert(Person, person);
        await tx.manager.insert(Membership, membership);
      },
      saveMembership: ({ tenantId, personId, ...changed }: Membership): Promise<unknown> =>
        tx.manager.update(Membership, { tenantId, personId }, changed),
      rename: (tenantId: string, id: string, name: string): Promise<unknown> =>
        tx.manager.update(Person, { tenantId, id }, { name }),
      /** Owners who have signed in and were not removed. */
      countOwners: (tenantId: string): Promise<number> =>
        tx.manager.countBy(Membership, { tenantId, role: 'owner', signedInAt: Not(IsNull()), removedAt: IsNull() }),
      /** Of somebody who never came, of whom nothing is to be kept. */
      forget: async ({ tenantId, id }: Person): Promise<void> => {
        await tx.manager.delete(Membership, { tenantId, personId: id });
        await tx.manager.delete(Person, { tenantId, id });
      },
    };
  }
}

async function withMembership(tx: Tx, person: Person): Promise<Member> {
  const { tenantId, id: personId } = person;
  return { person, membership: await tx.manager.findOneByOrFail(Membership, { tenantId, personId }) };
}
