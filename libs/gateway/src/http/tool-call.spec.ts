import { META } from '@haldir/mcp';
import { describe, expect, it } from 'vitest';
import { dialogueIn } from './tool-call.js';

const of = (capabilities: object): object => ({ _meta: { [META.clientCapabilities]: capabilities } });
const EXTENSIONS = { 'io.modelcontextprotocol/tasks': {}, 'example.com/other': {} };

describe('what an upstream is told of a client', () => {
  it('is what Haldir relays, and nothing else that it declares', () => {
    const relayed = { elicitation: { url: {} }, sampling: { tools: {} }, roots: {} };
    const declared = of({ ...relayed, extensions: EXTENSIONS, experimental: {}, tasks: {} });
    expect(dialogueIn({ ...declared })).toEqual({ capabilities: relayed });
  });

  it('is nothing of one that declares extensions alone', () => {
    expect(dialogueIn({ ...of({ extensions: EXTENSIONS }), inputResponses: { q: {} } })).toBeNull();
  });
});
