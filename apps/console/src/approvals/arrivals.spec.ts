import { hold } from './arrivals.ts';

const rows = (...ids: string[]) => ids.map((id) => ({ request_id: id }));

it('shows a list at once where nothing is shown', () => {
  expect(hold([], rows('a'))).toEqual({ rows: rows('a'), gone: new Set(), arrived: 0 });
});

it('leaves rows where they are, and counts what has come and gone', () => {
  expect(hold(rows('a', 'b'), rows('c', 'b', 'd'))).toEqual({ rows: rows('a', 'b'), gone: new Set(['a']), arrived: 2 });
});

it('leaves rows where they are where all of them are gone, too: somebody may be about to press one', () => {
  expect(hold(rows('a'), rows('c'))).toEqual({ rows: rows('a'), gone: new Set(['a']), arrived: 1 });
  expect(hold(rows('a'), [])).toEqual({ rows: rows('a'), gone: new Set(['a']), arrived: 0 });
});
