import fc from 'fast-check';
import { changesBetween, fingerprintOf } from './tool-definition.js';
import { type UpstreamTool } from '../mcp-client/index.js';

const tool: UpstreamTool = {
  name: 'pay',
  title: 'Pay',
  description: 'Pays',
  inputSchema: { type: 'object', properties: { to: { type: 'string' } }, required: ['to'] },
  annotations: { destructiveHint: true },
};

describe('the fingerprint of a definition', () => {
  it('is the SHA-256 of its canonical JSON, whatever the order of members', () => {
    const { name, ...rest } = tool;
    expect(fingerprintOf({ ...rest, name }).toString('hex')).toBe(fingerprintOf(tool).toString('hex'));
    expect(fingerprintOf({ name: 'a', inputSchema: { type: 'object' } }).toString('hex')).toBe(
      // printf '{"inputSchema":{"type":"object"},"name":"a"}' | sha256sum
      '60d4353e9a5499b483d09f13d9e28060e70f34edf787bb7040ba30bd390f85af',
    );
  });

  it.each<Partial<UpstreamTool>>([
    { name: 'pay2' },
    { title: 'Pay ' },
    { description: 'Pays\u200b' },
    { inputSchema: { type: 'object', properties: { to: { type: 'string' } }, required: [] } },
    { outputSchema: { type: 'object' } },
    { annotations: { destructiveHint: false } },
    { _meta: { anything: 1 } },
  ])('is another with %j', (change) => {
    expect(fingerprintOf({ ...tool, ...change })).not.toEqual(fingerprintOf(tool));
  });
});

describe('the changes between two definitions', () => {
  it('name each place as a JSON pointer, with what was and what is', () => {
    expect(
      changesBetween(tool, {
        name: 'pay',
        description: 'Pays \u202eevil',
        inputSchema: { type: 'object', properties: { to: { type: 'number' }, 'a/b~c': {} }, required: ['to', 'x'] },
        annotations: [] as never,
      }),
    ).toEqual([
      { path: '/title', was: 'Pay' },
      { path: '/description', was: 'Pays', is: 'Pays \\u{202e}evil' },
      { path: '/inputSchema/properties/to/type', was: 'string', is: 'number' },
      { path: '/inputSchema/properties/a~1b~0c', is: {} },
      { path: '/inputSchema/required/1', is: 'x' },
      { path: '/annotations', was: { destructiveHint: true }, is: [] },
    ]);
  });

  it('are the two definitions whole when there are too many to read', () => {
    const many = { ...tool, enum: Array.from({ length: 300 }, (_, i) => i) };
    const other = { ...tool, enum: Array.from({ length: 300 }, (_, i) => i + 1) };
    expect(changesBetween(many, other)).toEqual([{ path: '', was: many, is: other }]);
    const key = 'k'.repeat(30_000);
    const [deep, deeper] = [0, 1].map((by) => ({ ...tool, [key]: [by, by, by, by] })) as [UpstreamTool, UpstreamTool];
    expect(changesBetween(deep, deeper)).toHaveLength(1);
  });

  it('are none exactly where the fingerprints are equal', () => {
    const json = fc.jsonValue({ maxDepth: 3 });
    const definition = json.map((more) => ({ ...tool, more }));
    fc.assert(
      fc.property(definition, definition, (one, other) => {
        expect(changesBetween(one, one)).toEqual([]);
        expect(changesBetween(one, other).length === 0).toBe(fingerprintOf(one).equals(fingerprintOf(other)));
      }),
    );
  });
});
