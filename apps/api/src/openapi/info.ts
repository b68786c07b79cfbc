import { type Json } from '@haldir/http';

/** What the document says of the whole: of this implementation, wherever it runs. */
export const INFO: Json = {
  title: 'Haldir',
  contact: { name: 'The maintainers of Haldir' },
  license: { name: 'MIT', url: 'https://opensource.org/licenses/MIT' },
  description: `The open-source governance layer for AI agents. Haldir stands between agents and what they can do:

- **Gate**: API keys, and a session for each run of an agent, with scopes, a time to live and a budget.
- **Vault**: secrets that are read through a session or used without being seen, and payments taken from budgets.
- **Proxy**: the tools of upstream MCP servers, called under policies.
- **Approvals**: what needs a human waits for one.
- **Watch**: a tamper-evident log of everything, with anomaly flags and proofs.
- **Webhooks**: signed deliveries of events.

Authenticate with \`Authorization: Bearer hld_…\` or \`X-API-Key: hld_…\`. Agents connect by MCP, to \`/mcp\`.

## From a key to a governed call

Each step takes the example of its operation as it stands, but for ids that an earlier step answered (\`links\` of the answers say which):

1. \`createApiKey\` makes the first key, without one. Authorize with the \`key\` that it answers.
2. \`createSession\` opens a session for an agent.
3. \`registerUpstream\` puts an MCP server behind Haldir. The example's: \`PORT=3002 npx mcp-server-everything streamableHttp\`, in this repository.
4. \`addProxyPolicy\` blocks one of its tools.
5. \`proxyCall\` calls another, with the \`session_id\` of step 2.
6. \`getAuditTrail\` shows what happened.`,
};

/** What the answer of one step of the way from a key to a governed call is for. */
export const LINKS: Readonly<Record<string, Readonly<Record<string, Json>>>> = {
  createSession: {
    callTool: {
      operationId: 'proxyCall',
      description: 'Call a tool in the session',
      requestBody: {
        session_id: '{$response.body#/session_id}',
        tool: 'everything.echo',
        arguments: { message: 'hello' },
      },
    },
    getSession: { operationId: 'getSession', parameters: { session_id: '$response.body#/session_id' } },
  },
  requestApproval: {
    approve: { operationId: 'approveRequest', parameters: { request_id: '$response.body#/request_id' } },
  },
  holdPayment: {
    capture: { operationId: 'capturePayment', parameters: { payment_id: '$response.body#/authorization_id' } },
  },
};
