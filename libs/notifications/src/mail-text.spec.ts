import { type Notice } from '@haldir/events';
import { mailText } from './mail-text.js';

const notice: Notice = {
  title: 'Approval requested',
  about: 'payer up.pay',
  facts: [
    { name: 'Agent', value: 'payer' },
    { name: 'Reason', value: `<b>"so"</b> & 'thus'` },
  ],
  link: 'https://haldir.example.com/approvals/apr_1',
};

it('says the same as text and as HTML, with one link', () => {
  const { subject, text, html } = mailText(notice);
  expect(subject).toBe('[Haldir] Approval requested: payer up.pay');
  expect(text.split('\n').slice(0, 6)).toEqual([
    ...['Approval requested', '', 'Open in Haldir: https://haldir.example.com/approvals/apr_1'],
    ...['', 'Agent: payer', `Reason: <b>"so"</b> & 'thus'`],
  ]);
  expect(html).toContain('&lt;b&gt;&quot;so&quot;&lt;/b&gt; &amp; &#39;thus&#39;');
  expect(html.match(/https?:\/\/[^"]*/g)).toEqual(['https://haldir.example.com/approvals/apr_1']);
  for (const body of [text, html]) expect(body).toContain('Nothing is decided by this mail');
});

it('has no link while Haldir has no address, and a subject that is not too long', () => {
  const { subject, text, html } = mailText({ ...notice, link: null, about: '😀'.repeat(500) });
  expect([subject.length <= 150, subject.isWellFormed(), subject.endsWith('…')]).toEqual([true, true, true]);
  expect(`${text}${html}`).not.toMatch(/https?:/);
  expect(mailText({ ...notice, about: '' }).subject).toBe('[Haldir] Approval requested');
});
