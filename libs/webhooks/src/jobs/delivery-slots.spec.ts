import fc from 'fast-check';
import { DeliverySlots } from './delivery-slots.js';

/** Asks for a slot and answers whether it is held already; `granted` collects who got one later, in order. */
function ask(slots: DeliverySlots, tenant: string, granted: string[]): boolean {
  const wait = slots.acquire(tenant);
  if (!wait) return true;
  void wait.then(() => granted.push(tenant));
  return false;
}
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

it('gives a tenant its share and no more, while others find room', () => {
  const slots = new DeliverySlots(10, 6);
  const held = Array.from({ length: 8 }, () => ask(slots, 'greedy', []));
  expect(held.filter(Boolean)).toHaveLength(6);
  expect(Array.from({ length: 4 }, () => ask(slots, 'modest', [])).every(Boolean)).toBe(true);
  expect(ask(slots, 'late', [])).toBe(false);
});

it('serves tenants that wait in turn, however much one of them wants', async () => {
  const slots = new DeliverySlots(2, 2);
  const granted: string[] = [];
  expect([ask(slots, 'a', granted), ask(slots, 'a', granted)]).toEqual([true, true]);
  for (let i = 0; i < 100; i++) ask(slots, 'a', granted);
  for (const tenant of ['b', 'c', 'b', 'c']) ask(slots, tenant, granted);
  for (let i = 0; i < 6; i++) {
    slots.release(i === 0 ? 'a' : (granted.at(-1) ?? ''));
    await settled();
  }
  expect(granted.filter((tenant) => tenant === 'b')).toHaveLength(2);
  expect(granted.filter((tenant) => tenant === 'c')).toHaveLength(2);
});

it('never has more out than there are, never lets one wait for nothing, and forgets nobody', async () => {
  const request = fc.record({ tenant: fc.constantFrom('a', 'b', 'c'), release: fc.boolean() });
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 5 }),
      fc.integer({ min: 1, max: 5 }),
      fc.array(request, { maxLength: 60 }),
      async (total, share, requests) => {
        const slots = new DeliverySlots(total, share);
        const held: string[] = [];
        let asked = 0;
        let released = 0;
        for (const { tenant, release } of requests) {
          const holder = held.indexOf(tenant);
          if (release && holder >= 0) {
            held.splice(holder, 1);
            released++;
            slots.release(tenant);
          } else if (!release) {
            asked++;
            if (ask(slots, tenant, held)) held.push(tenant);
          }
          await settled();
          const most = (name: string): number => held.filter((one) => one === name).length;
          expect(held.length).toBeLessThanOrEqual(total);
          expect(Math.max(most('a'), most('b'), most('c'))).toBeLessThanOrEqual(share);
        }
        while (held.length > 0) {
          released++;
          slots.release(held.shift() ?? '');
          await settled();
        }
        expect(released).toBe(asked);
      },
    ),
  );
});

it('takes back only what was given', () => {
  expect(() => new DeliverySlots(1, 1).release('nobody')).toThrow('nobody held');
});
