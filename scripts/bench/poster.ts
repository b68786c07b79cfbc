// The limit of webhooks: a loop that does nothing but sign and post (Standard Webhooks), 50 at once.
import crypto from 'node:crypto';
import { Pool } from 'undici';
import { serve } from './child.js';

serve({}, async ({ url, seconds, concurrency }: { url: string; seconds: number; concurrency: number }) => {
  const pool = new Pool(new URL(url).origin, { connections: concurrency });
  const secret = crypto.randomBytes(24);
  let n = 0;
  const started = performance.now();
  const end = started + seconds * 1000;
  const loop = async () => {
    while (performance.now() < end) {
      const id = `msg_${n++}`;
      const timestamp = String(Math.floor(Date.now() / 1000));
      const body = JSON.stringify(event(id));
      const signature = crypto.createHmac('sha256', secret).update(`${id}.${timestamp}.${body}`).digest('base64');
      const answer = await pool.request({
        method: 'POST',
        path: '/',
        headers: {
          'content-type': 'application/json',
          'webhook-id': id,
          'webhook-timestamp': timestamp,
          'webhook-signature': `v1,${signature}`,
        },
        body,
      });
      await answer.body.dump();
    }
  };
  await Promise.all(Array.from({ length: concurrency }, loop));
  const rate = (n * 1000) / (performance.now() - started);
  await pool.close();
  return { rate, count: n };
});

function event(id: string) {
  const data = {
    entry_id: id,
    session_id: 'ses_0000000000000000000000',
    agent_id: 'agent-1',
    tool: 'bench',
    action: 'expensive',
    reason: 'high_cost: one action over 100 USD',
    cost_usd: 101,
  };
  return { type: 'anomaly', event: 'anomaly', event_id: id, timestamp: Date.now(), source: 'haldir', data, ...data };
}
