import { originOf } from './origin.js';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';

it.each([
  [`00-${TRACE}-00f067aa0ba902b7-01`, TRACE],
  [`01-${TRACE}-00f067aa0ba902b7-01-later`, TRACE],
  [`ff-${TRACE}-00f067aa0ba902b7-01`, null],
  [`00-${'0'.repeat(32)}-00f067aa0ba902b7-01`, null],
  [`00-${TRACE}-${'0'.repeat(16)}-01`, null],
  [`00-${TRACE.toUpperCase()}-00f067aa0ba902b7-01`, null],
  ['hld_not_a_trace', null],
])('a traceparent of %s is the trace %s', (traceparent, traceId) => {
  expect(originOf({ ip: '192.0.2.7', headers: { traceparent } })).toEqual({ address: '192.0.2.7', traceId });
});

it('a request without a traceparent has its address alone', () => {
  expect(originOf({ ip: '::1', headers: {} })).toEqual({ address: '::1', traceId: null });
});
