import { VERSION } from '@haldir/kernel';
import { HANDSHAKE_VERSIONS } from '@haldir/mcp';

/** As whom a server is asked what no agent asks. */
export const ME = { name: 'haldir-connect', version: VERSION };

/** How long a server may take for its first answer: `npx` and `uvx` fetch it first. */
export const START_MS = 5 * 60_000;

/**
 * What a server says to its first question.
 *
 * @param asking undefined or null once the server has exited
 * @param end ends a server that has not answered in `startMs`
 */
export async function firstAnswer<T>(
  asking: Promise<T>,
  startMs: number,
  end: () => unknown,
): Promise<{ answer: T; isLate: boolean }> {
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    end();
  }, startMs);
  try {
    return { answer: await asking, isLate };
  } finally {
    clearTimeout(timer);
  }
}

/** Initializes a server with nothing that a client can do. */
export const HELLO = {
  jsonrpc: '2.0',
  id: 0,
  method: 'initialize',
  params: { protocolVersion: HANDSHAKE_VERSIONS[0], capabilities: {}, clientInfo: ME },
};
