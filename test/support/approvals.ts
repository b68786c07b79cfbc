import { type Client } from './client.js';
import { eventually } from './eventually.js';

export interface PendingRequest {
  request_id: string;
  details: string;
}

/** The one request that waits for a human, as soon as there is one. */
export function pendingRequest(client: Client): Promise<PendingRequest> {
  return eventually(async () => {
    const { body } = await client.get<{ requests: PendingRequest[] }>('/v1/approvals/pending');
    const [request, ...others] = body.requests;
    if (!request || others.length > 0) throw new Error(`${body.requests.length} requests are pending`);
    return request;
  });
}

/** Decides about it and answers its id. */
export async function decidePending(client: Client, decision: 'approve' | 'deny'): Promise<string> {
  const { request_id: id } = await pendingRequest(client);
  const { status } = await client.post(`/v1/approvals/${id}/${decision}`);
  if (status !== 200) throw new Error(`not decided: ${status}`);
  return id;
}
