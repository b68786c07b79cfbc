import { bodyTime, nullableTime, queryTime } from './fields.js';

/** What a text is read as, in ISO 8601; null when it is refused. */
const read = (text: string): string | null => queryTime.safeParse(text).data?.toISOString() ?? null;

it.each([
  ['2026-11-29T14:36:19', '2026-11-29T14:36:19.000Z'],
  ['2026-11-29T14:36', '2026-11-29T14:36:00.000Z'],
  ['2026-11-29', '2026-11-29T00:00:00.000Z'],
  ['2026-11-29T14:36:19.123456789', '2026-11-29T14:36:19.123Z'],
  ['2026-11-29T14:36:19Z', '2026-11-29T14:36:19.000Z'],
  ['2026-11-29T14:36:19+05:30', '2026-11-29T09:06:19.000Z'],
  ['2026-11-29T14:36:19-0500', '2026-11-29T19:36:19.000Z'],
  ['2028-02-29', '2028-02-29T00:00:00.000Z'],
  ['1764426979.123456', '2025-11-29T14:36:19.123Z'],
  ['0', '1970-01-01T00:00:00.000Z'],
])('%s is the same time wherever the server stands: %s', (text, time) => {
  const zone = process.env['TZ'];
  try {
    for (const one of ['America/New_York', 'Asia/Kolkata', 'UTC']) {
      process.env['TZ'] = one;
      expect([one, read(text)]).toEqual([one, time]);
    }
  } finally {
    if (zone === undefined) delete process.env['TZ'];
    else process.env['TZ'] = zone;
  }
});

it.each([
  ...['2027-02-30', '2027-02-29T00:00', '2027-04-31T10:00:00Z', '2027-13-01', '2027-00-10', '2027-01-00', '2027-01-32'],
  ...[
    '2027-01-01T25:00',
    '2027-01-01T10:60',
    '2027-01-01T10:00+99:99',
    '27-01-01',
    'now',
    '',
    '-5',
    '1e9',
    '2027-01-01 10:00',
  ],
])('%j is no time', (text) => {
  expect(read(text)).toBeNull();
});

it('a body takes numbers too, and null where there may be none', () => {
  expect(bodyTime.parse(1764426979.5).toISOString()).toBe('2025-11-29T14:36:19.500Z');
  expect(nullableTime.parse(null)).toBeNull();
  expect(bodyTime.safeParse('2027-02-30').error?.issues[0]?.message).toContain('UTC without an offset');
});
