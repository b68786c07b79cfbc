import { setups } from '../../apps/console/src/proxy/clients.js';
import { MCP_CLIENTS } from '../../apps/cli/src/mcp-clients.js';

it('the console gives each client what `haldir mcp config` prints for it', () => {
  const shown = setups('https://haldir.example/below');
  expect(Object.keys(shown)).toEqual([...MCP_CLIENTS.keys()]);
  for (const [name, configure] of MCP_CLIENTS) {
    const haldir = new URL('https://haldir.example/below/');
    const { text } = configure({ haldir, key: null, program: ['haldir', 'mcp'] });
    expect([name, shown[name]?.text]).toEqual([name, text]);
  }
});
