import { type ToldValues } from '@haldir/vault';
import { UpstreamMasks } from './upstream-masks.js';

afterEach(() => void vi.useRealTimers());

it('mask what an upstream was told before it was removed for as long as a call may be under way, humans included', async () => {
  vi.useFakeTimers({ toFake: ['performance'] });
  let version = 1;
  const secret = { name: 'token', text: 'correct horse battery', kind: 'secret' };
  const told = {
    version: async () => version,
    load: async () =>
      version === 1
        ? { version, digests: new Set(['d']), values: [secret] }
        : { version, digests: new Set(), values: [] },
  } as unknown as ToldValues;
  const masks = new UpstreamMasks(told, { debug: () => undefined } as never);
  const place = { tenantId: 'ten_1', name: 'up', told: undefined };
  const mask = await masks.maskFor(place);
  version = 2;
  vi.advanceTimersByTime(1_000);
  const said = async (): Promise<string> => JSON.stringify(await mask.mask({ text: secret.text }));
  expect(await said()).not.toContain('battery');
  vi.advanceTimersByTime(899_000);
  expect(await said()).not.toContain('battery');
  vi.advanceTimersByTime(2_000);
  expect(await said()).toContain('battery');
});
