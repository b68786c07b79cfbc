// What the API knows beside the request: who decided it, what holds it, what the tool says of itself, what the agent did.
import { queryOptions } from '@tanstack/react-query';
import { answered, api } from '../api/client.ts';
import { type components } from '../api/schema.ts';
import { usd } from '../parts/money.ts';
import { type Annotations } from './destructive.ts';
import { type Approval, APPROVALS } from './requests.ts';

type Entry = components['schemas']['AuditEntry'];
type Budget = components['schemas']['Budget'];

const LAST_ACTIONS = 10;

/** What the log says of the request: that it was asked for, decided, let through. Oldest first. */
export const historyQuery = ({ request_id: id, agent_id, created_at, decided_at }: Approval) =>
  queryOptions({
    queryKey: [...APPROVALS, 'history', id, decided_at],
    queryFn: async ({ signal }): Promise<{ entry: Entry; said: Record<string, unknown> }[]> => {
      const query = {
        tool: 'haldir.approvals',
        agent_id,
        limit: 200,
        since: String(Math.floor(created_at)),
        until: String(Math.ceil(decided_at ?? created_at) + 60),
      };
      const { entries } = await answered(api.GET('/v1/audit', { params: { query }, signal }));
      return entries
        .map((entry) => ({ entry, said: membersOf(entry.details) }))
        .filter(({ said }) => said['request_id'] === id)
        .reverse();
    },
  });

function membersOf(details: string | null | undefined): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(details ?? '');
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

/** What the agent did last, newest first. */
export const lastActionsQuery = (agentId: string) =>
  queryOptions({
    queryKey: [...APPROVALS, 'actions', agentId],
    queryFn: async ({ signal }): Promise<Entry[]> => {
      const query = { agent_id: agentId, limit: LAST_ACTIONS };
      return (await answered(api.GET('/v1/audit', { params: { query }, signal }))).entries;
    },
  });

/** Of `upstream.tool`: names of tools may have dots, those of upstreams have none. */
export function toolNames(tool: string): { upstream: string; own: string } {
  const dot = tool.indexOf('.');
  return { upstream: tool.slice(0, Math.max(dot, 0)), own: tool.slice(dot + 1) };
}

/** What the tool's upstream says of it; null where there is no such tool any more. @param tool `upstream.tool` */
export const toolQuery = (tool: string) =>
  queryOptions({
    queryKey: ['tool', tool],
    queryFn: async ({ signal }): Promise<{ description: string; annotations: Annotations } | null> => {
      const { upstream, own } = toolNames(tool);
      const query = { upstream, ...(own.length < 2 ? {} : { name_contains: own }) };
      const { tools } = await answered(api.GET('/v1/proxy/tools', { params: { query }, signal }));
      const found = tools.find(({ qualified_name: name }) => name === tool);
      return found ? { description: found.description, annotations: found.annotations ?? null } : null;
    },
  });

/** The policy or approval rule in words; null for one that has been removed since. */
export const ruleQuery = (id: string) =>
  queryOptions({
    queryKey: ['rule', id],
    queryFn: async ({ signal }): Promise<string | null> => {
      if (id.startsWith('pol_')) {
        const { policies } = await answered(api.GET('/v1/proxy/policies', { signal }));
        const found = policies.find((policy) => policy.id === id);
        return found ? `The policy ${found.type} asks for a human.` : null;
      }
      const { rules } = await answered(api.GET('/v1/approvals/rules', { params: { query: { limit: 1000 } }, signal }));
      const found = rules.find((rule) => rule.id === id);
      return found ? inWords(found.type, found.threshold ?? 0) : null;
    },
  });

function inWords(type: 'spend_over' | 'tool_blocked' | 'destructive' | 'all', threshold: number): string {
  switch (type) {
    case 'spend_over':
      return `Whatever costs more than ${usd(threshold)} waits for a human.`;
    case 'tool_blocked':
      return 'Calls of this tool wait for a human.';
    case 'destructive':
      return 'Calls of destructive tools wait for a human.';
    case 'all':
      return 'Everything waits for a human.';
  }
}

/** Budgets above the agent's session that this would be taken from. */
export const budgetsQuery = (agentId: string) =>
  queryOptions({
    queryKey: [...APPROVALS, 'budgets', agentId],
    queryFn: async ({ signal }): Promise<Budget[]> => {
      const { budgets } = await answered(api.GET('/v1/budgets', { params: { query: { limit: 1000 } }, signal }));
      return budgets.filter(
        ({ scope, agent_id: agent, remaining }) => remaining !== null && (scope === 'tenant' || agent === agentId),
      );
    },
  });
