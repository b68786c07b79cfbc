import { readSpendSearch } from './search.ts';
import { everyDay, lastDays, spendCsv } from './spend.ts';

const sum = (total_usd: number) => ({ total_usd, count: 1 });

it('has every day of the period, those included on which nothing was paid', () => {
  const paid = { day: '2026-03-01', ...sum(2), names: [{ name: 'a', ...sum(2) }] };
  const days = everyDay({ from: '2026-02-27', to: '2026-03-01', days: [paid] });
  expect(days.map(({ day, total_usd: total }) => [day, total])).toEqual([
    ...[['2026-02-27', 0], ['2026-02-28', 0], ['2026-03-01', 2]], // prettier-ignore
  ]);
  expect(days[2]).toBe(paid);
});

it('has days of UTC up to today', () => {
  expect(lastDays(7, Date.parse('2026-03-03T23:59:59Z') / 1000)).toEqual({ from: '2026-02-25', to: '2026-03-03' });
});

it('is written as CSV without exponents, and without what a spreadsheet takes for a formula', () => {
  const names = [
    { name: '=1+1', ...sum(0.0000015) },
    { name: 'a,"b"', ...sum(7.5) },
    { name: null, ...sum(1e9) },
  ];
  expect(spendCsv({ by: 'agent', days: [{ day: '2026-03-01', ...sum(1), names }] })).toBe(
    'day,agent,total_usd,payments\r\n2026-03-01,\'=1+1,0.000002,1\r\n2026-03-01,"a,""b""",7.500000,1\r\n2026-03-01,all others,1000000000.000000,1\r\n',
  );
});

it('reads what an address says, and nothing else of it', () => {
  expect(readSpendSearch({ from: '2026-03-01', to: 'today', by: 'tool', agent_id: 5, session_id: 'ses_x' })).toEqual({
    ...{ from: '2026-03-01', by: 'tool', agent_id: '5' },
  });
  expect(readSpendSearch({ by: 'agent' })).toEqual({});
});
