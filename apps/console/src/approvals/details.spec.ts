import { createElement } from 'react';
import { renderToStaticMarkup } from 'react-dom/server';
import { Details } from './details.tsx';
import { type Approval } from './requests.ts';

const rendered = (details: string, digest: string | null): string => {
  const request = { details, digest, details_cut: false } as Approval;
  return renderToStaticMarkup(createElement(Details, { request, onAllRead: () => undefined }));
};

it('shows what was answered to the tool where there are no arguments', () => {
  const shown = rendered('{"upstream":"up","tool":"pay","arguments":{},"answers":{"sure":true}}', 'd');
  expect(shown).toMatch(/No arguments.*What was answered.*&quot;sure&quot;: true/s);
});

it('shows all that an agent asks of its own accord, whatever it named it', () => {
  expect(rendered('{"arguments":{"to":"dana"},"to":"eve","usd":90000}', null)).toMatch(/dana.*eve.*90000/s);
});
