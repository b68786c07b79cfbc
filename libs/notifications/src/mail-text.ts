import { cutText, type Notice } from '@haldir/events';

const MAX_SUBJECT = 150;
const NOTHING_DECIDED = 'Nothing is decided by this mail, nor by opening the page.';
const WHERE_TO_CHANGE = 'What you are sent is for you to choose, on the page of people in the console.';

/** A mail as people read it, twice: as text, and as HTML that loads nothing. */
export interface MailText {
  subject: string;
  text: string;
  html: string;
}

/**
 * The one template. What others wrote is text in it, on lines of its own; the only link is that of the notice, which comes before: mail
 * programs make links of addresses, whoever wrote them.
 */
export function mailText({ title, about, facts, link }: Notice): MailText {
  const subject = cutText(`[Haldir] ${about === '' ? title : `${title}: ${about}`}`, MAX_SUBJECT);
  const lines = [
    title,
    ...(link === null ? [] : ['', `Open in Haldir: ${link}`]),
    '',
    ...facts.map(({ name, value }) => `${name}: ${value}`),
    ...['', '-- ', NOTHING_DECIDED, WHERE_TO_CHANGE],
  ];
  const rows = facts.map(
    ({ name, value }) =>
      `<tr><th align="left" valign="top" style="padding:2px 16px 2px 0">${escaped(name)}</th>` +
      `<td valign="top" style="padding:2px 0;word-break:break-word">${escaped(value)}</td></tr>`,
  );
  const html = [
    '<!doctype html><html lang="en"><head><meta charset="utf-8"></head><body style="font-family:sans-serif">',
    `<h1 style="font-size:18px">${escaped(title)}</h1>`,
    link === null ? '' : `<p><a href="${escaped(link)}">Open in Haldir</a></p>`,
    `<table cellpadding="0" cellspacing="0">${rows.join('')}</table>`,
    `<p style="font-size:12px">${NOTHING_DECIDED}<br>${WHERE_TO_CHANGE}</p>`,
    '</body></html>',
  ];
  return { subject, text: `${lines.join('\n')}\n`, html: `${html.filter(Boolean).join('\n')}\n` };
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? '');
}
