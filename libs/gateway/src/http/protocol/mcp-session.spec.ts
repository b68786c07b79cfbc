import { beginMcpSession, readMcpSession } from './mcp-session.js';

const read = (id: string | undefined) => readMcpSession(id === undefined ? {} : { 'mcp-session-id': id });

describe('the session of a handshake', () => {
  const declared: [version: string, capabilities: unknown, opensUrls: boolean][] = [
    ['2025-11-25', { elicitation: { url: {} } }, true],
    ['2025-11-25', { elicitation: { form: {}, url: {} }, roots: {} }, true],
    ['2025-11-25', { elicitation: {} }, false],
    ['2025-11-25', { elicitation: { form: {} } }, false],
    ['2025-11-25', { elicitation: { url: true } }, false],
    ['2025-11-25', {}, false],
    ['2025-11-25', undefined, false],
    ['2025-11-25', 'url', false],
    // Before there were addresses to open.
    ['2025-06-18', { elicitation: { url: {} } }, false],
  ];
  it.each(declared)('of a client of %s that declares %j tells whether it opens addresses: %s', (version, it, opens) => {
    const id = beginMcpSession(version, it);
    expect(read(id)).toEqual({ id, opensUrls: opens });
    expect(beginMcpSession(version, it)).not.toBe(id);
  });

  it('is none without an id, and refused with one of another make', () => {
    expect(read(undefined)).toBeNull();
    for (const id of ['', 'url', 'url.', `url.${'a'.repeat(21)}`, `url.${'a'.repeat(23)}`, `urls.${'a'.repeat(22)}`])
      expect(() => read(id), id).toThrow(expect.objectContaining({ status: 404 }));
  });
});
