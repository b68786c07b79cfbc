import { Column, Entity, PrimaryColumn } from 'typeorm';
import { BigIntColumn } from './columns.js';
import { columnsOf } from './entity-columns.js';

@Entity('account')
class Account {
  @PrimaryColumn({ name: 'tenant_id', type: 'text' })
  tenantId: string;

  @PrimaryColumn({ type: 'text' })
  id: string;

  @BigIntColumn({ name: 'limit_micros', nullable: true })
  limit: bigint | null;

  @Column({ name: 'ended_at', type: 'timestamptz', nullable: true })
  endedAt: Date | null;

  @Column({ type: 'bytea', select: false })
  mac: Buffer;

  isShown = false;
}

@Entity('account_day')
class AccountDay extends Account {}

@Entity('note')
class Note {
  @Column({ type: 'jsonb', nullable: true })
  said: object | null;
}

const columns = columnsOf(Account);
const row = { tenant_id: 't', id: 'a', limit_micros: '9007199254740993', ended_at: null };

describe('columns of an entity', () => {
  it('are listed in the order of its properties', () => {
    expect(columns.list).toBe('tenant_id, id, limit_micros, ended_at');
    expect(columns.of('a')).toBe('a.tenant_id, a.id, a.limit_micros, a.ended_at');
    expect(columns.parameters).toBe('$1, $2, $3, $4');
  });

  it('make an entity of a row, through the transformers of its columns', () => {
    const account = columns.toEntity({ ...row, other: 1 });

    expect(account).toBeInstanceOf(Account);
    expect({ ...account }).toEqual({
      ...{ tenantId: 't', id: 'a', limit: 9_007_199_254_740_993n, endedAt: null },
      isShown: false,
    });
  });

  it('make values of an entity that make the same entity again', () => {
    const values = columns.toValues(columns.toEntity(row));

    expect(values).toEqual(Object.values(row));
  });

  it('are picked by the names of properties', () => {
    const some = columns.only('limit', 'id');

    expect(some.list).toBe('limit_micros, id');
    expect({ ...some.toEntity({ id: 'a', limit_micros: null }) }).toEqual({ limit: null, id: 'a', isShown: false });
    expect(() => columns.only('isShown')).toThrow('Account.isShown is no column');
  });

  it('are those that TypeORM selects, and others when they are asked for', () => {
    expect(columns.with('mac').list).toBe('tenant_id, id, limit_micros, ended_at, mac');
    expect(columns.only('id', 'mac').list).toBe('id, mac');
  });

  it('of JSON are text where they are written', () => {
    expect(columnsOf(Note).toValues({ said: { a: [1] } })).toEqual(['{"a":[1]}']);
    expect(columnsOf(Note).toValues({ said: null })).toEqual([null]);
    expect(columnsOf(Note).toEntity({ said: { a: [1] } })).toEqual({ said: { a: [1] } });
  });

  it('go by other names beside a table that has the same', () => {
    const others = columns.only('id', 'limit').prefixed('other_');

    expect(others.of('o')).toBe('o.id AS other_id, o.limit_micros AS other_limit_micros');
    expect(others.toEntity({ ...row, other_id: 'b', other_limit_micros: '1' })).toMatchObject({ id: 'b', limit: 1n });
  });

  it('are those of a class with columns of its own', () => {
    expect(() => columnsOf(AccountDay)).toThrow('AccountDay has no columns');
  });
});
