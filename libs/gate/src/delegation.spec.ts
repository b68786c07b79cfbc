import { HaldirError, type MicroUsd } from '@haldir/kernel';
import fc from 'fast-check';
import { BudgetBooks } from './budget-books.js';
import { keepWithinParent, MAX_DEPTH, MAX_DESCENDANTS } from './delegation.js';
import { type LockedSession } from './locked-session.repository.js';
import { Session } from './session.entity.js';
import { deepestFirst, SessionTree } from './session-tree.js';

/** `HALDIR_TEST_DELEGATION_TREES=10000` asks for as many. */
const TREES = Number(process.env['HALDIR_TEST_DELEGATION_TREES'] ?? 500);
const SCOPES = ['admin', 'read', 'read:mail', 'read:mail:x', 'spend', 'spend:x', 'write'];
const START = Date.parse('2026-01-01T00:00:00Z');
const dollars = (amount: number): MicroUsd => BigInt(amount * 1_000_000) as MicroUsd;

let made = 0;
function sessionOf(more: Partial<Session> = {}): Session {
  return Object.assign(new Session(), {
    ...{
      tenantId: 'tnt_1',
      id: `ses_${++made}`,
      agentId: 'agent',
      scopes: ['read'],
      spendLimit: null,
      catalogue: 'full',
    },
    ...{ spent: 0n, held: 0n, delegated: 0n, lineage: [], descendants: 0, openedKey: null, revokedAt: null },
    ...{ createdAt: new Date(START), expiresAt: new Date(START + 3_600_000) },
    ...more,
  });
}
const locked = (session: Session): LockedSession => ({
  ...{ session, announcedAt: null, threshold: 0, standings: [], isOver: false, isIntact: true },
});

/** What is thrown says what of the request was too much. */
function refusalOf(child: Partial<Session>, parent: Partial<Session>, mayEndSooner = false): unknown {
  try {
    keepWithinParent(sessionOf(child), sessionOf(parent), [], mayEndSooner);
  } catch (error) {
    if (!(error instanceof HaldirError)) throw error;
    return `${error.code}: ${String(error.details['field'])}`;
  }
  return null;
}

/** What is asked for in words, the session and its parent, and what is refused of it. */
type Asked = [string, Partial<Session>, Partial<Session>, string | null];

describe('a session that is opened from another', () => {
  it.each<Asked>([
    ['as much', {}, {}, null],
    ['less in words', { scopes: ['read:mail'] }, {}, null],
    ['more in words', { scopes: ['read'] }, { scopes: ['read:mail'] }, 'beyond_parent: scopes'],
    ['everything of one that has everything', { scopes: ['x', 'admin'] }, { scopes: ['admin'] }, null],
    ['everything', { scopes: ['admin'] }, { scopes: ['read', 'write'] }, 'beyond_parent: scopes'],
    ['another agent', { agentId: 'other' }, {}, 'beyond_parent: agent_id'],
    ['a later end', { expiresAt: new Date(START + 3_600_001) }, {}, 'beyond_parent: ttl'],
    ['no limit, of one that has one', {}, { spendLimit: dollars(5) }, 'invalid: spend_limit'],
    ['all its money', { spendLimit: dollars(5) }, { spendLimit: dollars(5) }, null],
    ['more money', { spendLimit: (dollars(5) + 1n) as MicroUsd }, { spendLimit: dollars(5) }, 'beyond_parent: spend_limit'],
    ['more than is left', { spendLimit: dollars(3) }, { spendLimit: dollars(5), held: dollars(1), delegated: dollars(2) }, 'beyond_parent: spend_limit'],
    ['money, of one that may not spend', { spendLimit: dollars(1) }, {}, 'beyond_parent: spend_limit'],
    ['no money, of one that may not spend', { spendLimit: dollars(0) }, {}, null],
    ['money, of one that may spend without a limit', { spendLimit: dollars(1) }, { scopes: ['read', 'spend'] }, null],
    ['a parent that is too deep', {}, { lineage: Array.from({ length: MAX_DEPTH }, String) }, 'delegated_too_deep: parent_session_id'],
    ['a parent with too many', {}, { descendants: MAX_DESCENDANTS }, 'too_many_descendants: parent_session_id'],
  ])('is refused what is more than its parent has: %s', (_, child, parent, refusal) => {
    expect(refusalOf(child, parent)).toBe(refusal);
  }); // prettier-ignore

  it('ends with its parent where it did not ask to live longer', () => {
    const [child, parent] = [sessionOf({ expiresAt: new Date(START + 9e9) }), sessionOf()];
    keepWithinParent(child, parent, [], true);
    expect(child).toMatchObject({ expiresAt: parent.expiresAt, lineage: [parent.id] });
  });

  it('counts against everything that it descends from', () => {
    const full = sessionOf({ descendants: MAX_DESCENDANTS });
    const parent = sessionOf({ lineage: [full.id] });
    expect(() => keepWithinParent(sessionOf(), parent, [full], false)).toThrow('fewer than 100 living sessions');
  });
});

/** A step: what, of which sessions, and how much. */
type Step = [what: 'open' | 'spend' | 'hold' | 'settle' | 'revoke' | 'wait', which: number, amount: number];
const step = fc.tuple(
  fc.constantFrom<Step[0][]>('open', 'open', 'open', 'spend', 'spend', 'hold', 'settle', 'revoke', 'wait'),
  fc.nat(1_000),
  fc.nat(1_000),
);

/** A tree in memory, each step of it as a transaction does it, and what must hold after each. */
class Tree {
  private now = START;
  private readonly all: LockedSession[] = [];
  private readonly holds: { entry: LockedSession; amount: MicroUsd }[] = [];

  constructor(root: Session) {
    this.all.push(locked(root));
  }

  take([what, which, amount]: Step): void {
    const entry = this.all[which % this.all.length] as LockedSession;
    if (what === 'open') this.open(entry, which, amount);
    if (what === 'spend' || what === 'hold') this.spend(what, entry, BigInt(amount) as MicroUsd);
    if (what === 'settle') this.settle(which, amount);
    if (what === 'revoke' && which % 3 === 0) this.revoke(entry);
    if (what === 'wait') this.wait(which, amount);
  }

  /** What is not as it is promised, in its words and computed from scratch. */
  faults(): string[] {
    return this.all.flatMap((entry) => [
      ...this.faultsOf(entry),
      ...this.all
        .filter(({ session }) => session.parentId === entry.session.id)
        .flatMap((child) => this.faultsBetween(entry, child)),
    ]);
  }

  private faultsOf({ session }: LockedSession): string[] {
    const below = this.all.filter((one) => one.session.lineage.includes(session.id));
    const children = below.filter((one) => one.session.parentId === session.id);
    const delegated = children.reduce((sum, { session: child, isOver }) => sum + (isOver ? child.used : child.spendLimit ?? 0n), 0n);
    const used = [session, ...below.map((one) => one.session)].reduce((sum, { spent, held }) => sum + spent + held, 0n);
    return [
      ...(session.delegated === (session.spendLimit === null ? 0n : delegated) ? [] : ['another sum is delegated']),
      ...(session.spendLimit === null || used <= session.spendLimit ? [] : ['more was spent below it than its limit']),
      ...(session.descendants === below.filter(({ isOver }) => !isOver).length ? [] : ['others descend from it']),
    ];
  } // prettier-ignore

  private faultsBetween({ session: parent }: LockedSession, child: LockedSession): string[] {
    const { session } = child;
    const spends = session.maySpend() && session.spendLimit !== 0n;
    return [
      ...(SCOPES.every((scope) => !session.grants(scope) || parent.grants(scope)) ? [] : ['a wider scope']),
      ...(spends && !parent.maySpend() ? ['money of one that may not spend'] : []),
      ...(parent.spendLimit !== null && session.spendLimit === null ? ['no limit of one that has one'] : []),
      ...(session.expiresAt > parent.expiresAt ? ['a later end'] : []),
      ...(parent.revokedAt && this.lives(child) ? ['it outlives its parent'] : []),
    ];
  }

  private open({ session: parent, isOver }: LockedSession, which: number, amount: number): void {
    if (isOver || !parent.isValidAt(new Date(this.now))) return;
    const child = sessionOf({
      scopes: SCOPES.filter((_, i) => (which >> i) & 1),
      spendLimit: amount % 7 === 0 ? null : (BigInt(amount) as MicroUsd),
      createdAt: new Date(this.now),
      expiresAt: new Date(this.now + (amount % 5) * 1_000_000 + 1),
    });
    const tree = new SessionTree(this.all);
    try {
      keepWithinParent(child, parent, tree.above(parent).map(({ session }) => session), which % 2 === 0);
    } catch (error) {
      if (error instanceof HaldirError) return;
      throw error;
    }
    tree.add(child);
    this.all.push(locked(child));
  } // prettier-ignore

  private spend(what: 'spend' | 'hold', entry: LockedSession, amount: MicroUsd): void {
    const left = entry.session.remainingBudget();
    if (!this.lives(entry) || !entry.session.maySpend() || (left !== null && amount > left)) return;
    this.move(entry, what === 'spend' ? amount : 0n, what === 'hold' ? amount : 0n);
    if (what === 'hold') this.holds.push({ entry, amount });
  }

  private settle(which: number, amount: number): void {
    const [hold] = this.holds.splice(which % Math.max(1, this.holds.length), 1);
    if (!hold) return;
    const captured = hold.entry.session.revokedAt ? 0n : BigInt(amount) % (hold.amount + 1n);
    this.move(hold.entry, captured, 0n - hold.amount);
  }

  private revoke(top: LockedSession): void {
    if (!this.lives(top)) return;
    const now = new Date(this.now);
    const tree = new SessionTree(this.all);
    for (const entry of [...tree.livingBelow(top.session, now), top]) {
      tree.close(entry);
      entry.session.revokedAt = now;
    }
  }

  /** The job may come to them in any order and at any time. */
  private wait(which: number, amount: number): void {
    this.now += amount * 2_000;
    const due = this.all.filter(({ session, isOver }, i) => !isOver && +session.expiresAt <= this.now && (i + which) % 3 > 0);
    const tree = new SessionTree(this.all);
    for (const entry of which % 2 ? deepestFirst(due) : due) tree.close(entry);
  } // prettier-ignore

  private move(entry: LockedSession, spent: bigint, held: bigint): void {
    const at = new Date(this.now);
    const books = new BudgetBooks(this.all, [], at);
    books.move(entry, { agentId: 'agent', at, drawnOn: [], spent: spent as MicroUsd, held: held as MicroUsd });
  }

  private lives({ session, isOver }: LockedSession): boolean {
    return !isOver && session.isValidAt(new Date(this.now));
  }
}

describe(`${TREES} random trees of sessions`, () => {
  it('have no session that may do more, live longer or spend more than its parent, at any moment', () => {
    const root = fc.record({
      spendLimit: fc.option(fc.nat(3_000).map((amount) => BigInt(amount) as MicroUsd)),
      scopes: fc.subarray(SCOPES, { minLength: 2 }),
    });
    fc.assert(
      fc.property(root, fc.array(step, { minLength: 5, maxLength: 40 }), (wanted, steps) => {
        const tree = new Tree(sessionOf({ ...wanted, expiresAt: new Date(START + 4_000_000) }));
        for (const each of steps) {
          tree.take(each);
          expect(tree.faults()).toEqual([]);
        }
      }),
      { numRuns: TREES },
    );
  }, 600_000);
});
