import { type NewPolicy } from './policies.ts';
import { type PolicyType } from './types.ts';

/** A policy as it is typed. Lists are texts, one name a line. */
export interface Draft {
  type: PolicyType;
  tool: string;
  tools: string;
  max: string;
  perMinute: string;
  from: string;
  to: string;
  scopeTools: string;
  scopeUpstreams: string;
  scopeAgents: string;
  priority: string;
}

const BLANK: Draft = {
  type: 'block_tool',
  tool: '',
  tools: '',
  max: '',
  perMinute: '',
  from: '',
  to: '',
  scopeTools: '',
  scopeUpstreams: '',
  scopeAgents: '',
  priority: '0',
};

export interface Template {
  title: string;
  text: string;
  draft: Draft;
}

/** By the name that is in the address. */
export const TEMPLATES: Record<string, Template> = {
  destructive: {
    title: 'What destroys waits',
    text: 'Calls of tools that delete or remove wait for a human.',
    draft: { ...BLANK, type: 'require_approval', scopeTools: '*delete*\n*remove*\n*drop*' },
  },
  spending: {
    title: 'Small sums only',
    text: 'A call that spends more than $10 is blocked.',
    draft: { ...BLANK, type: 'spend_limit', max: '10' },
  },
  pace: {
    title: 'An even pace',
    text: 'Each agent makes at most 60 calls a minute.',
    draft: { ...BLANK, type: 'rate_limit', perMinute: '60' },
  },
};

export function draftOf(template: string | undefined): Draft {
  return (template !== undefined && Object.hasOwn(TEMPLATES, template) && TEMPLATES[template]?.draft) || BLANK;
}

/** As the API takes it. A number that is none is not sent, which is refused by the name of its member. */
export function policyOf(draft: Draft): NewPolicy {
  const { type } = draft;
  const scope = {
    tools: namesIn(draft.scopeTools),
    upstreams: namesIn(draft.scopeUpstreams),
    agents: namesIn(draft.scopeAgents),
  };
  const given = Object.entries(scope).filter(([, names]) => names.length > 0);
  return {
    type,
    ...parametersOf(draft),
    ...(given.length > 0 && { scope: Object.fromEntries(given) }),
    ...(draft.priority.trim() !== '' && Number(draft.priority) !== 0 && { priority: Number(draft.priority) }),
  };
}

function parametersOf(draft: Draft): Omit<NewPolicy, 'type'> {
  switch (draft.type) {
    case 'block_tool':
      return { tool: draft.tool.trim() };
    case 'deny_list':
    case 'allow_list':
      return { tools: namesIn(draft.tools) };
    case 'spend_limit':
      return { max: numberIn(draft.max) };
    case 'rate_limit':
      return { max_per_minute: numberIn(draft.perMinute) };
    case 'time_window':
      return { start_hour: numberIn(draft.from), end_hour: numberIn(draft.to) };
    case 'require_approval':
      return {};
  }
}

export function namesIn(text: string): string[] {
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
}

function numberIn(text: string): number | undefined {
  return text.trim() === '' || Number.isNaN(Number(text)) ? undefined : Number(text);
}
