import { type Row } from '../row.js';

/** What a name and a text save against the same through TypeORM: why hot statements have them (ADR 3). */
export const named: Row[] = (['read', 'insert', 'update'] as const).map((what) => ({
  name: `named-${what}`,
  title: `${what} of one row, a named statement`,
  target: null,
  prepare: async (world) => ({
    measure: world.statement('', `named-${what}`).measure,
    limits: [world.statement(`${what} through a repository`, `repository-${what}`)],
    finish: async () => ({ gates: [] }),
  }),
}));
