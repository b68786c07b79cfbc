import { type NewPolicy } from './policies.ts';

/** What a policy can be, in words for whoever chooses. */
export const TYPES = {
  block_tool: 'Block a tool',
  deny_list: 'Block several tools',
  allow_list: 'Allow some tools, and no others',
  spend_limit: 'Limit what a call spends',
  rate_limit: 'Limit the calls a minute',
  time_window: 'Limit the hours',
  require_approval: 'Have calls wait for a human',
} satisfies Record<NewPolicy['type'], string>;

export type PolicyType = keyof typeof TYPES;
