import { VERSION } from '@haldir/kernel';
import { HANDSHAKE_VERSIONS } from '@haldir/mcp';

/** As whom a server is asked what no agent asks. */
export const ME = { name: 'haldir-connect', version: VERSION };

/** Initializes a server with nothing that a client can do. */
export const HELLO = {
  jsonrpc: '2.0',
  id: 0,
  method: 'initialize',
  params: { protocolVersion: HANDSHAKE_VERSIONS[0], capabilities: {}, clientInfo: ME },
};
