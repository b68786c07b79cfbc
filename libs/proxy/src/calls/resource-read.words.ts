import { type JsonObject } from '@haldir/mcp';
import { type ResourceTarget } from '../catalogue/resource-lookup.js';
import { digestsOf } from './call-digest.js';
import { type EntryWords } from './call-kind.js';
import { type NewRead } from './resource-read.js';

const ACTIONS = {
  'resources/read': 'resource_read',
  'prompts/get': 'prompt_get',
  'completion/complete': 'completion',
} as const;

/** Longer names are cut in the log; their digest is of the whole. */
const MAX_NAME = 330;

/** What the log says of reads. */
export const READ_WORDS: EntryWords<NewRead, ResourceTarget, JsonObject> = {
  unknown: 'Unknown',
  ambiguous: 'Several upstreams have it',
  actionOf: ({ method }) => ACTIONS[method],
  nameOf: ({ subject }, target) => {
    const name = target ? `${target.upstream.name}.${target.id}` : subject.name;
    return [...name.slice(0, MAX_NAME)].filter((char) => !/^[\ud800-\udfff]$/.test(char)).join('');
  },
  resultOf: (result) => (result['resultType'] === 'input_required' ? 'input_required' : 'ok'),
  factsOf: () => ({}),
  digestsOf: (read) => digestsOf({ ...read.arguments, subject: read.subject.name }, read.dialogue),
};
