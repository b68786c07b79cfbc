import { type Client, type Reply } from '@haldir/test-support';

/** Where a secret is, its name being any text. */
export const path = (name: string): string => `/v1/secrets/${encodeURIComponent(name)}`;

export async function store(
  client: Client,
  name: string,
  value: string,
  more: Record<string, unknown> = {},
): Promise<Reply> {
  const reply = await client.post('/v1/secrets', { name, value, ...more });
  expect([reply.status, reply.body['name']]).toEqual([201, name]);
  return reply;
}
