import { adviceOn } from './redirect-advice.js';

describe('an upstream that redirects', () => {
  it.each([
    ['http://up.test/mcp', '/mcp/', 'http://up.test/mcp/', 'with a slash at the end of its path'],
    ['https://up.test/mcp', 'http://up.test/mcp/', 'https://up.test/mcp/', 'with a slash at the end of its path'],
    ['http://up.test:8080/a/b?k=v', 'http://up.test/a/b/', 'http://up.test:8080/a/b/?k=v', 'with a slash'],
    ['http://up.test/mcp/', '../mcp', 'http://up.test/mcp', 'without the slash at the end of its path'],
    ['http://up.test/mcp', 'https://up.test/mcp', 'https://up.test/mcp', 'with https'],
    [
      'http://up.test:8080/mcp',
      'https://up.test:8443/mcp/',
      'https://up.test:8443/mcp/',
      'with https and with a slash',
    ],
  ])('from %s to %s is told by its own address', (registered, location, url, words) => {
    const advice = adviceOn(registered, location);
    expect(advice.url).toBe(url);
    expect(advice.words).toContain(words);
    expect(advice.words).not.toMatch(/up\.test|mcp/);
  });

  it.each([
    'https://sk_live_1.elsewhere.test/mcp/',
    'http://up.test/login?next=sk_live_1',
    'http://up.test/mcp?sk_live_1',
    'http://',
    undefined,
    ['/mcp/', '/mcp/'],
  ])('to %j, which is another place or none, is told so and nothing is quoted', (location) => {
    const advice = adviceOn('http://up.test/mcp', location);
    expect(advice.url).toBeNull();
    expect(advice.words).toContain('follows no redirects');
    expect(advice.words).not.toContain('sk_live_1');
  });
});
