import { screenTools } from './tool-screening.js';
import { type UpstreamTool } from '../mcp-client/index.js';

const named = (name: string, more: object = {}): UpstreamTool => ({ name, inputSchema: { type: 'object' }, ...more });
const taken = async (tools: UpstreamTool[], pinned: string[] = []): Promise<string[]> =>
  (await screenTools({ tools, refused: [] }, pinned)).tools.map(({ tool }) => tool.name);

describe('screening', () => {
  it.each(['echo', 'a.b/c-d_e', 'Größe', '検索', 'two words', 'запрос', 'café'])('takes %s', async (name) => {
    expect(await taken([named(name)])).toEqual([name]);
  });

  it.each([
    'zero\u200bwidth',
    'zero\u2060width',
    'soft\u00adhyphen',
    'right\u202eleft',
    'mark\u200f',
    'tag\u{e0061}',
    'selector\ufe0f',
    'filler\u3164',
    'braille\u2800',
    'line\nend',
    'bell\u0007',
    'no\u00a0break',
    ' leading',
    'trailing ',
    'private\ue000',
    'sep\u2028',
  ])('refuses the name %j, and shows what it hides', async (name) => {
    const { tools, refused } = await screenTools({ tools: [named(name)], refused: [] }, []);
    expect(tools).toEqual([]);
    expect(refused).toEqual([{ name: expect.any(String), reason: 'its name has characters that do not show' }]);
    expect(refused[0]?.name).not.toMatch(/[\p{Cf}\p{DI}]/u);
  });

  it('refuses names that look alike, unless one of them is known', async () => {
    const tools = ['get', 'GET', 'ｇｅｔ', 'put', 'ﬁle', 'file'].map((name) => named(name));
    expect(await taken(tools)).toEqual(['put']);
    expect(await taken(tools, ['GET', 'file'])).toEqual(['GET', 'put', 'file']);
    // Known, though not offered any more.
    expect(await taken([named('Echo')], ['echo'])).toEqual([]);
    expect(await taken([named('get_user'), named('get-user'), named('getuser')])).toHaveLength(3);
  });

  it.each([
    ['text that runs the other way', { description: 'a \u202e b' }],
    ['an isolate in a member’s name', { inputSchema: { type: 'object', properties: { '\u2066x': {} } } }],
    ['tags', { annotations: { title: 'x\u{e0041}' } }],
    ['a run of what does not show', { description: `a${'\u200b'.repeat(4)}b` }],
    ['bits in variation selectors', { title: 'a\ufe00\ufe01\u{e0100}\ufe01' }],
    ['more than anybody reads', { description: 'x'.repeat(70_000) }],
  ])('refuses a definition with %s', async (_, more) => {
    expect(await screenTools({ tools: [named('a', more), named('b')], refused: [] }, [])).toMatchObject({
      tools: [{ tool: { name: 'b' } }],
      refused: [{ name: 'a', reason: expect.stringContaining('definition') }],
    });
  });

  it('passes on what is refused of a tool that is known, as a change of it', async () => {
    const tools = [named('a', { title: '\u202e' }), named('b', { title: '\u202e' })];
    expect(await taken(tools, ['a'])).toEqual(['a']);
    expect((await screenTools({ tools, refused: [] }, ['a'])).refused.map(({ name }) => name)).toEqual(['a', 'b']);
  });

  it('takes a definition with emoji and joined letters', async () => {
    expect(await taken([named('a', { description: '👩‍💻 ❤️ می‌خواهم 日本' })])).toEqual(['a']);
  });
});
