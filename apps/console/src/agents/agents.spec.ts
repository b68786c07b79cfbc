import { inPath } from './agents.ts';

it('an agent whose name a browser would leave out of an address is not frozen as something else', () => {
  for (const name of ['.', '..']) expect(() => inPath(name)).toThrow(/cannot name this agent/);
  for (const name of ['my-agent', '...', '../x', '.a']) expect(inPath(name)).toBe(name);
  expect(new URL(`/v1/agents/${encodeURIComponent('..')}/freeze`, 'http://localhost').pathname).toBe('/v1/freeze');
});
