import { ConnectorApi, Unavailable } from './connector-api.js';
import { LeaseKeeper } from './lease-keeper.js';

afterEach(() => vi.unstubAllGlobals());

const api = (): ConnectorApi => new ConnectorApi(new URL('http://127.0.0.1:1/'), 'key', 'up', 'instance');
const LEASE = { lease_seconds: 30, heartbeat_seconds: 10, wait_seconds: 25, max_part_bytes: 1_024 };
const LIMITED = (): Response =>
  new Response('{"error":"100 requests an hour"}', { status: 429, headers: { 'retry-after': '3600' } });

it('a limit is no reason to stay away for more than a minute, and no sign that Haldir is gone', async () => {
  const answers = [LIMITED(), LIMITED(), new Response(JSON.stringify(LEASE))];
  vi.stubGlobal('fetch', () => Promise.resolve(answers.shift()));
  const said: string[] = [];
  const { signal } = new AbortController();
  // Waits end at once, and are told.
  const waits: (number | null)[] = [];
  const asked = api();
  const lease = asked.lease.bind(asked);
  asked.lease = (...args) =>
    lease(...args).catch((error: unknown) => {
      if (!(error instanceof Unavailable)) throw error;
      waits.push(error.retryAfterMs);
      throw new Unavailable(error.message, 0, error.isThere);
    });
  await new LeaseKeeper(asked, false, (words) => said.push(words), signal).take();
  expect(waits).toEqual([60_000, 60_000]);
  expect(said).toEqual(['100 requests an hour; trying again', 'connected to http://127.0.0.1:1']);
});
