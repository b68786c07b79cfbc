import { queryOptions } from '@tanstack/react-query';
import { answered, api } from '../api/client.ts';
import { patiently } from '../api/patiently.ts';
import { type components, type operations } from '../api/schema.ts';

export type Policy = components['schemas']['ProxyPolicy'];
export type NewPolicy = operations['addProxyPolicy']['requestBody']['content']['application/json'];
export type PolicyTerms = operations['changeProxyPolicy']['requestBody']['content']['application/json'];

/** First of the keys of what is read here. */
export const POLICIES = 'policies';
/** A tenant has no more than 500 (libs/proxy/src/policies/policy.service.ts). */
const ALL = 500;
const WEEK_SECONDS = 7 * 86_400;
/** As many calls are named that would be decided otherwise. */
export const MOST_NAMED = 1000;

/** All of them, in the order in which they are asked: the higher priority first; of the same, the older. */
export const policiesQuery = queryOptions({
  queryKey: [POLICIES],
  queryFn: async ({ signal }) => {
    const query = { limit: ALL };
    const { policies } = await answered(api.GET('/v1/proxy/policies', { params: { query }, signal }));
    return policies.sort((one, other) => other.priority - one.priority);
  },
});

export const add = (body: NewPolicy) => answered(api.POST('/v1/proxy/policies', { body }));

export const change = ({ id, ...body }: PolicyTerms & { id: string }) =>
  answered(api.PATCH('/v1/proxy/policies/{policy_id}', { params: { path: { policy_id: id } }, body }));

export const remove = (id: string) =>
  answered(api.DELETE('/v1/proxy/policies/{policy_id}', { params: { path: { policy_id: id } } }));

/** What policies would have made of the calls of the last seven days. */
function simulate(policies: NewPolicy[], until: number) {
  const body = { policies, from: until - WEEK_SECONDS, to: until, limit: MOST_NAMED };
  return answered(api.POST('/v1/proxy/simulate', { body, fetch: patiently }));
}
export type Simulated = Awaited<ReturnType<typeof simulate>>;

/** What a policy would have changed, beside those that stand. @param until seconds since 1970 */
export async function simulateWith(
  standing: Policy[],
  proposed: NewPolicy,
  until: number,
): Promise<{ without: Simulated; with: Simulated }> {
  const asAdded = standing.map(({ id: _, ...policy }): NewPolicy => policy);
  const [without, withIt] = [await simulate(asAdded, until), await simulate([...asAdded, proposed], until)];
  return { without, with: withIt };
}
