import { describe, expect, it, vi } from 'vitest';
import { ResourcePages } from './resource-pages.js';
import { ToolPages } from './tool-pages.js';
import { UpstreamUnreachable } from './mcp-client.errors.js';

const page = (names: unknown[], nextCursor?: unknown): unknown => ({
  tools: names.map((name) => ({ name, inputSchema: { type: 'object' } })),
  nextCursor,
});

describe('ToolPages', () => {
  it('keeps order over pages, and what it does not know', async () => {
    const pages = new ToolPages();
    expect(
      await pages.add({
        tools: [
          {
            name: 'b',
            title: 'B',
            annotations: { destructiveHint: true },
            inputSchema: { type: 'object', 'x-mcp-header': 'q' },
          },
        ],
        nextCursor: '2',
      }),
    ).toBe('2');
    expect(await pages.add(page(['a']))).toBeNull();
    expect(pages.tools).toEqual([
      {
        name: 'b',
        title: 'B',
        annotations: { destructiveHint: true },
        inputSchema: { type: 'object', 'x-mcp-header': 'q' },
      },
      { name: 'a', inputSchema: { type: 'object' } },
    ]);
  });

  it('takes no tools without a usable name, and no second ones of a name, and says which they are', async () => {
    const pages = new ToolPages();
    await pages.add({
      tools: [
        null,
        'x',
        {},
        { name: '' },
        { name: 7 },
        { name: 'x'.repeat(257) },
        { name: '\ud800' },
        { name: 'dotted.name' },
        { name: 'dotted.name', description: 'second' },
        { name: 'nul', description: 'a\0b' },
      ],
    });
    expect(pages.tools).toEqual([{ name: 'dotted.name', inputSchema: { type: 'object' } }]);
    const unnamed = 'it has no name of 1 to 256 characters';
    expect(pages.refused).toEqual([
      { name: '(no name, the 1st of its list)', reason: unnamed },
      { name: '(no name, the 2nd of its list)', reason: unnamed },
      { name: '(no name, the 3rd of its list)', reason: unnamed },
      { name: '(no name, the 4th of its list)', reason: unnamed },
      { name: '(no name, the 5th of its list)', reason: unnamed },
      { name: 'x'.repeat(256), reason: unnamed },
      { name: expect.any(String), reason: 'it has text that cannot be stored' },
      { name: 'dotted.name', reason: 'a tool before it in the list has its name' },
      { name: 'nul', reason: 'it has text that cannot be stored' },
    ]);
  });

  it('takes a tool that comes after a broken one of its name', async () => {
    const pages = new ToolPages();
    await pages.add({
      tools: [
        { name: 'a', inputSchema: 7 },
        { name: 'a', title: 'A' },
      ],
    });
    expect(pages.tools).toEqual([{ name: 'a', title: 'A', inputSchema: { type: 'object' } }]);
    expect(pages.refused).toMatchObject([{ name: 'a' }]);
  });

  it('names as many of those it does not take as there may be tools', async () => {
    const pages = new ToolPages({ maxTools: 2 });
    await pages.add(page([7, 7, 7, 'a', 'b', 7]));
    expect([pages.tools.length, pages.refused.length]).toEqual([2, 2]);
  });

  it.each([null, 'x', {}, { tools: {} }])('does not take %j for a page', async (answer) => {
    await expect(new ToolPages().add(answer)).rejects.toThrow(UpstreamUnreachable);
  });

  it('names what it does not take in whole characters', async () => {
    const pages = new ToolPages();
    const long = `${'x'.repeat(255)}\u{1f600}`;
    const wrong = { type: 'object', properties: { ['\u{1f600}'.repeat(300)]: 7, [`p${'\u{1f600}'.repeat(300)}`]: 7 } };
    await pages.add({
      tools: [
        { name: 'a\ud800' },
        { name: '\udc00\u200b' },
        { name: long },
        { name: 'b', inputSchema: wrong },
        { name: 'c', inputSchema: { type: 'object', properties: { [`p${'\u{1f600}'.repeat(300)}`]: 7 } } },
      ],
    });
    expect(pages.refused.slice(0, 3).map(({ name }) => name)).toEqual([
      ...['a\ufffd', '\ufffd\\u{200b}', `${'x'.repeat(255)}\ufffd`],
    ]);
    for (const { name, reason } of pages.refused)
      expect([name.isWellFormed(), reason.isWellFormed()]).toEqual([true, true]);
    expect(pages.refused).toHaveLength(5);
  });

  it('gives a list up that takes longer to read than it may', async () => {
    let now = 0;
    // Each look at the clock finds a turn over.
    vi.spyOn(performance, 'now').mockImplementation(() => (now += 10));
    const late = { reason: 'timeout' };
    const [tools, resources] = [page(['a', 'b', 'c']), { resources: [{ uri: 'doc://a', name: 'a' }] }];
    await expect(new ToolPages().add(tools, 20)).rejects.toMatchObject(late);
    await expect(new ToolPages().add(tools, Infinity)).resolves.toBeNull();
    await expect(new ResourcePages('resources').add(resources, now)).rejects.toMatchObject(late);
    await expect(new ResourcePages('resources').add(resources, Infinity)).resolves.toBeNull();
    vi.restoreAllMocks();
  });

  it('ends a catalogue that goes in circles or has no end', async () => {
    const circle = new ToolPages();
    await circle.add(page(['a'], 'x'));
    await expect(circle.add(page(['b'], 'x'))).rejects.toThrow(UpstreamUnreachable);

    const endless = new ToolPages({ maxPages: 3 });
    await endless.add(page(['a'], '1'));
    await endless.add(page(['b'], '2'));
    await expect(endless.add(page(['c'], '3'))).rejects.toThrow(UpstreamUnreachable);

    await expect(new ToolPages({ maxTools: 2 }).add(page(['a', 'b', 'c']))).rejects.toThrow(UpstreamUnreachable);
  });
});
