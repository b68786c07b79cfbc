import { noticeOf, type PublishedEvent } from '@haldir/events';

/** What a browser is told: words of Haldir's own, and where to read the rest. Nothing that an agent has written. */
export interface PushMessage {
  title: string;
  /** Of a page of this Haldir, from its root. */
  path: string;
  /** Of what is shown by the same name, the last counts: what comes twice is shown once. */
  tag: string;
}

/** For the address of a page; nothing else is taken from it. */
const ANY_ORIGIN = 'https://haldir.invalid';

export function pushMessageOf({ type, data, eventId }: PublishedEvent): PushMessage {
  const { title, link } = noticeOf({ type, data }, ANY_ORIGIN);
  const { request_id: requestId } = data;
  const path = typeof requestId === 'string' ? `/approvals/${requestId}` : link === null ? '/' : new URL(link).pathname;
  return { title, path, tag: eventId };
}
