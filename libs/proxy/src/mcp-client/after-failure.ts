import { UpstreamUnreachable } from './mcp-client.errors.js';

/** Does it once more when the connection broke: only for what changes nothing, or no more when done twice. */
export async function twiceAtMost<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof UpstreamUnreachable && error.reason === 'reset') return work();
    throw error;
  }
}

/** Whether the next call should find out anew what it is speaking to. */
export function suggestsAnotherServer({ reason }: UpstreamUnreachable): boolean {
  return (
    reason === 'connect' || reason === 'dns' || reason === 'tls' || reason === 'protocol' || reason === 'http_status'
  );
}
