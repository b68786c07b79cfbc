import { beginMcpSession, readMcpSession, toCapabilities } from './mcp-session.js';

const read = (id: string | undefined) => readMcpSession(id === undefined ? {} : { 'mcp-session-id': id });

describe('the session of a handshake', () => {
  const declared: [version: string, capabilities: unknown, can: string[], toUpstreams: object][] = [
    ['2025-11-25', { elicitation: { url: {} } }, ['url'], { elicitation: { url: {} } }],
    [
      ...['2025-11-25', { elicitation: { form: {}, url: {} }, roots: { listChanged: true } }],
      ...[['form', 'url', 'roots'], { elicitation: { form: {}, url: {} }, roots: {} }],
    ] as [string, object, string[], object],
    [
      '2025-11-25',
      { elicitation: {}, sampling: {} },
      ['form', 'sampling'],
      { elicitation: { form: {} }, sampling: {} },
    ],
    ['2025-11-25', { elicitation: { form: {} } }, ['form'], { elicitation: { form: {} } }],
    ['2025-11-25', { elicitation: { url: true } }, [], {}],
    ['2025-11-25', {}, [], {}],
    ['2025-11-25', undefined, [], {}],
    ['2025-11-25', 'url', [], {}],
    // Before there were addresses to open, and before there were forms.
    ['2025-06-18', { elicitation: { url: {}, form: {} } }, ['form'], { elicitation: { form: {} } }],
    ['2025-03-26', { elicitation: {}, sampling: {} }, ['sampling'], { sampling: {} }],
  ];
  it.each(declared)('of a client of %s that declares %j tells what it can: %j', (version, it, can, toUpstreams) => {
    const id = beginMcpSession(version, it);
    const session = read(id);
    expect(session).toEqual({ id, can: new Set(can) });
    expect(session && toCapabilities(session)).toEqual(toUpstreams);
    expect(beginMcpSession(version, it)).not.toBe(id);
  });

  it('is none without an id, and refused with one of another make', () => {
    expect(read(undefined)).toBeNull();
    for (const id of [
      '',
      'url',
      'url.',
      `url.${'a'.repeat(21)}`,
      `url.${'a'.repeat(23)}`,
      `urls.${'a'.repeat(22)}`,
      `url-form.${'a'.repeat(22)}`,
      `plain-url.${'a'.repeat(22)}`,
      `-.${'a'.repeat(22)}`,
    ])
      expect(() => read(id), id).toThrow(expect.objectContaining({ status: 404 }));
  });
});
