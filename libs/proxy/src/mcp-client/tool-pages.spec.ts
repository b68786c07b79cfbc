import { describe, expect, it } from 'vitest';
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

  it('leaves out tools without a usable name, and second ones of a name', async () => {
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
      ],
    });
    expect(pages.tools).toEqual([{ name: 'dotted.name', inputSchema: { type: 'object' } }]);
  });

  it('leaves out a tool that holds what cannot be stored', async () => {
    const pages = new ToolPages();
    await pages.add({ tools: [{ name: 'nul', description: 'a\0b' }, { name: 'fine' }] });
    expect(pages.tools.map(({ name }) => name)).toEqual(['fine']);
  });

  it('repairs a description, schema or annotations of the wrong type', async () => {
    const pages = new ToolPages();
    await pages.add({ tools: [{ name: 'a', description: 7, inputSchema: [], annotations: 'x' }] });
    expect(pages.tools).toEqual([{ name: 'a', inputSchema: { type: 'object' } }]);
  });

  it.each([null, 'x', {}, { tools: {} }])('does not take %j for a page', async (answer) => {
    await expect(new ToolPages().add(answer)).rejects.toThrow(UpstreamUnreachable);
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
