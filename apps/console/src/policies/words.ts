import { usd } from '../parts/money.ts';
import { listed, type Word } from '../parts/words.ts';
import { type NewPolicy, type Policy } from './policies.ts';

type Said = Pick<Policy, 'type'> & Partial<Pick<NewPolicy, 'tool' | 'tools' | 'max' | 'max_per_minute' | 'start_hour' | 'end_hour' | 'scope'>>; // prettier-ignore

/** What a policy does, in a sentence. */
export function sentenceOf(policy: Said): Word[] {
  const scope = scopeOf(policy);
  return [...ruleOf(policy), ...(scope.length === 0 ? [' everywhere'] : scope)];
}

function ruleOf({ type, tool, tools, max, max_per_minute: perMinute, start_hour: from, end_hour: to }: Said): Word[] {
  switch (type) {
    case 'block_tool':
      return ['Block tool ', { name: tool ?? '' }];
    case 'deny_list':
      return (tools ?? []).length === 0 ? ['Block no tool'] : ['Block tools ', ...listed(tools ?? [], 'and')];
    case 'allow_list':
      return (tools ?? []).length === 0 ? ['Allow no tool'] : ['Allow no tools but ', ...listed(tools ?? [], 'and')];
    case 'spend_limit':
      return [`Block calls that spend more than ${usd(Number(max ?? 0))}`];
    case 'rate_limit':
      return [`Let each agent make at most ${(perMinute ?? 0).toLocaleString('en')} calls a minute`];
    case 'time_window':
      return from === to
        ? ['Block calls at any hour']
        : [`Let calls through from ${from ?? 0}:00 to ${to ?? 0}:00 UTC only`];
    case 'require_approval':
      return ['Have calls wait for a human'];
  }
}

function scopeOf({ scope }: Said): Word[] {
  const about = (words: string, names: string[] | undefined): Word[] =>
    names === undefined || names.length === 0 ? [] : [words, ...listed(names, 'or')];
  return [
    ...about(', for tools ', scope?.tools),
    ...about(', at upstream ', scope?.upstreams),
    ...about(', by agent ', scope?.agents),
  ];
}
