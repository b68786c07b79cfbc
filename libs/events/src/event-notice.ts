import { exactNumber, isNumber, stringifyJson, visibleText } from '@haldir/kernel';
import { type PublishedEvent } from './domain-event.js';

/** What an event says to people, wherever they read it. Every text but the title may be an agent's, and hostile: who shows it escapes it. */
export interface Notice {
  /** Of Haldir's own words alone. */
  title: string;
  /** What it is about, on one line; may be empty. */
  about: string;
  /** One line each, hidden characters as `\u{…}`. Lengths are bounded. */
  facts: readonly { name: string; value: string }[];
  /** The page about it; null while the installation has no address. */
  link: string | null;
}

type Event = Pick<PublishedEvent, 'type' | 'data'>;
type Data = PublishedEvent['data'];

const SHORT = 200;
const LONG = 1000;
const DETAILS = 2500;
const MAX_FACTS = 12;
/** Credentials, and what stands elsewhere. */
const UNTOLD = new Set(['session_id', 'page', 'details_cut']);

/**
 * What an event says, in facts of a few lines.
 *
 * @param publicBase the address of the installation, without a slash at its end; null: no links
 */
export function noticeOf({ type, data }: Event, publicBase: string | null): Notice {
  switch (type) {
    case 'approval_requested':
      return approvalNotice(data);
    case 'approval_outcome':
      return outcomeNotice(data);
    case 'anomaly':
      return anomalyNotice(data, publicBase);
    case 'budget_threshold':
      return { ...general(`A budget is used up to ${percentOf(data)} %`, data), link: pageOf(publicBase, '/overview') };
    case 'budget_exhausted':
      return { ...general('A budget is used up', data), link: pageOf(publicBase, '/overview') };
    case 'agent_frozen':
      return general(data['agent_id'] === null ? 'All agents were frozen' : 'An agent was frozen', data);
    case 'agent_unfrozen':
      return general(data['agent_id'] === null ? 'All agents go on' : 'An agent goes on', data);
    case 'key_expiring':
      return general('An API key is about to expire', data);
    case 'webhook_disabled':
      return general('A webhook was switched off', data);
    case 'webhook_test':
      return general('Test', data);
    default:
      return general(wordsOf(type), data);
  }
}

/** The text whole up to `max` characters, else its beginning, which shows that it goes on. Never half a character. */
export function cutText(text: string, max: number): string {
  if (text.length <= max) return text;
  const last = text.charCodeAt(max - 2);
  return `${text.slice(0, max - (last >= 0xd800 && last <= 0xdbff ? 2 : 1))}…`;
}

/** Its texts were made visible when the request was made, but for who asks. */
function approvalNotice(data: Data): Notice {
  const { tool, action, reason, rule, rule_id: ruleId, details, page } = data;
  const agent = shown(data['agent_id'], SHORT);
  const call = [tool, action].map((text) => line(text, SHORT)).filter(Boolean);
  return {
    title: 'Approval requested',
    about: cutText([agent, ...call].filter(Boolean).join(' '), SHORT),
    facts: facts([
      ['Agent', agent],
      ['Tool', line(tool, SHORT)],
      ['Action', line(action, SHORT)],
      ['Amount', dollars(data['amount'])],
      ['Reason', line(reason, LONG)],
      [
        'Asked by',
        [rule, ruleId]
          .map((text) => shown(text, SHORT))
          .filter(Boolean)
          .join(' '),
      ],
      ['Details', line(details, DETAILS)],
    ]),
    link: typeof page === 'string' ? page : null,
  };
}

const OUTCOMES: Readonly<Record<string, string>> = {
  performed: 'What was approved was done',
  failed: 'What was approved has failed',
  unknown: 'It is not known what became of what was approved',
  input_required: 'What was approved has something to ask first',
};

function outcomeNotice(data: Data): Notice {
  const { outcome, decided_key: decidedKey } = data;
  const expired = decidedKey === null ? 'A request has expired undecided' : 'What was approved was not done in time';
  return { ...approvalNotice(data), title: OUTCOMES[String(outcome)] ?? expired };
}

function anomalyNotice(data: Data, publicBase: string | null): Notice {
  const { tool, action, reason, entry_id: entryId } = data;
  const agent = shown(data['agent_id'], SHORT);
  const isDrift = typeof reason === 'string' && reason.startsWith('tool_drift');
  return {
    title: isDrift ? 'A tool has changed' : 'An action was flagged',
    about: cutText([agent, shown(tool, SHORT), shown(action, SHORT)].filter(Boolean).join(' '), SHORT),
    facts: facts([
      ['Agent', agent],
      ['Tool', shown(tool, SHORT)],
      ['Action', shown(action, SHORT)],
      ['Why', shown(reason, LONG)],
      ['Cost', dollars(data['cost_usd'])],
      ['Entry of the log', shown(entryId, SHORT)],
    ]),
    link: pageOf(publicBase, '/audit'),
  };
}

function general(title: string, data: Data): Notice {
  const told = Object.entries(data).filter(([name, value]) => !UNTOLD.has(name) && value !== null);
  return {
    title,
    about: shown(data['agent_id'], SHORT),
    facts: facts(told.map(([name, value]) => [cutText(visibleText(wordsOf(name)), SHORT), shown(value, LONG)])),
    link: null,
  };
}

function facts(pairs: readonly (readonly [name: string, value: string])[]): Notice['facts'] {
  return pairs
    .filter(([, value]) => value !== '')
    .slice(0, MAX_FACTS)
    .map(([name, value]) => ({ name, value }));
}

/** `budget_threshold` as `Budget threshold`. */
function wordsOf(name: string): string {
  const words = name.replaceAll('_', ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}

function shown(value: unknown, max: number): string {
  // Cut before, too: what is shown as an escape grows eightfold.
  return line(visibleText(typeof value === 'string' ? cutText(value, max) : stringifyJson(value)), max);
}

/** On one line, so that a text cannot look like further facts. */
function line(value: unknown, max: number): string {
  if (typeof value !== 'string') return '';
  return cutText(value.replace(/\r\n?|\n/g, ' ⏎ ').replaceAll('\t', ' '), max);
}

function dollars(amount: unknown): string {
  return isNumber(amount) && exactNumber(amount) !== 0 ? `${String(amount)} USD` : '';
}

function percentOf({ threshold }: Data): string {
  return isNumber(threshold) ? String(threshold) : '?';
}

function pageOf(publicBase: string | null, path: string): string | null {
  return publicBase === null ? null : publicBase + path;
}
