import { setTimeout as pause } from 'node:timers/promises';
import { type AppProcess, Client, startWorld, type World } from '@haldir/test-support';

async function within(tiers: string, work: (world: World) => Promise<void>): Promise<void> {
  const world = await startWorld({ processes: 2, environment: { HALDIR_TIER_LIMITS: tiers } });
  try {
    await work(world);
  } finally {
    await world.stop();
  }
}

/** The first key of a new tenant, and others that it has made; each making is one of the first one's requests. */
async function keysOf(world: World, tier: string, others: number): Promise<Client[]> {
  const first = await world.newTenant({ tier });
  const keys = [first];
  for (let i = 0; i < others; i++) {
    const { body } = await first.post<{ key: string }>('/v1/keys', { tier });
    keys.push(new Client(first.url, body.key));
  }
  return keys;
}

describe('the quota of a tenant', () => {
  it('is that of its tier, however many keys it makes and at how many processes they ask', async () => {
    await within('free=20', async (world) => {
      const keys = await keysOf(world, 'free', 3);
      const ask = (i: number) => (keys[i % 4] as Client).at(world.apis[i % 2] as AppProcess).get('/v1/sessions');
      const replies = await Promise.all(Array.from({ length: 60 }, (_, i) => ask(i)));
      expect(replies.filter(({ status }) => status === 200)).toHaveLength(20 - 3);
      const refused = replies.find(({ status }) => status === 429);
      expect(refused?.body).toMatchObject({
        code: 'rate_limited',
        limit: 20,
        error: 'Rate limit exceeded: 20 requests per hour for all keys of a tenant on the free tier',
      });
      expect(refused?.headers.get('x-ratelimit-remaining')).toBe('0');
      expect((await (await world.newTenant({ tier: 'free' })).get('/v1/sessions')).status).toBe(200);
    });
  });

  it('leaves each key its own, where that is less', async () => {
    await within('free=5,pro=40', async (world) => {
      const pro = await world.newTenant({ tier: 'pro' });
      const { body } = await pro.post<{ key: string }>('/v1/keys', { tier: 'free' });
      const free = new Client(pro.url, body.key);
      const asks = async (client: Client, times: number): Promise<number> => {
        const replies = await Promise.all(Array.from({ length: times }, () => client.get('/v1/sessions')));
        return replies.filter(({ status }) => status === 200).length;
      };
      expect(await asks(free, 12)).toBe(5);
      expect(await asks(pro, 60)).toBe(40 - 1 - 5);
    });
  });

  it('is used up to its last request by keys that take many at a time', async () => {
    await within('pro=1500', async (world) => {
      const keys = await keysOf(world, 'pro', 2);
      let answered = 2;
      let refusedInARow = 0;
      for (let round = 0; refusedInARow < 200 && round < 200; round++) {
        const replies = await Promise.all(
          Array.from({ length: 50 }, (_, i) =>
            (keys[i % 3] as Client).at(world.apis[(i + round) % 2] as AppProcess).get('/v1/sessions'),
          ),
        );
        const granted = replies.filter(({ status }) => status === 200).length;
        answered += granted;
        refusedInARow = granted > 0 ? 0 : refusedInARow + 50;
        // What another process took and does not use is given back within two seconds.
        if (granted === 0) await pause(2500);
      }
      expect(answered).toBe(1500);
    });
  });
});

describe('a refusal for want of quota', () => {
  it('says to come back within the window, and it is true', async () => {
    await within('free=5', async (world) => {
      const free = await world.newTenant({ tier: 'free' });
      const replies = await Promise.all(
        Array.from({ length: 8 }, () => free.get<{ retry_after?: number }>('/v1/sessions')),
      );
      for (const { headers, body } of replies) {
        expect(Number(headers.get('x-ratelimit-reset-after'))).toBeLessThanOrEqual(3600);
        expect(Number(headers.get('x-ratelimit-reset'))).toBeLessThanOrEqual(Math.ceil(Date.now() / 1000) + 3600);
        expect(body.retry_after ?? 0).toBeLessThanOrEqual(3600);
      }
      expect(replies.filter(({ status }) => status === 429)).toHaveLength(3);

      const age = (seconds: number) =>
        world.sql('UPDATE quota SET times = ARRAY(SELECT t - $1 FROM unnest(times) AS t)', [seconds]);
      await age(3595);
      const late = await free.get<{ retry_after: number }>('/v1/sessions');
      expect(late.status).toBe(429);
      expect(late.body.retry_after).toBeLessThanOrEqual(6);
      await age(6);
      expect((await free.get('/v1/sessions')).status).toBe(200);
    });
  });
});
