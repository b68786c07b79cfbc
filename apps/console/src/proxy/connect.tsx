import { type ReactNode, useState } from 'react';
import { BASE } from '../base.ts';
import { Copied } from '../parts/copied.tsx';
import { ChoiceField } from '../parts/form.tsx';
import { setups } from './clients.ts';

/** What an agent is given so that it calls tools through this Haldir. */
export function Connect(): ReactNode {
  const haldir = location.origin + BASE;
  const all = setups(haldir);
  const [name, choose] = useState('claude-code');
  const setup = all[name];
  const titles = Object.fromEntries(Object.entries(all).map(([each, { title }]) => [each, title]));
  return (
    <section>
      <h2>Connect an agent</h2>
      <p className="muted">
        Agents find the tools of every upstream at one address, with an agent key of their own in{' '}
        <code>Authorization</code>.
      </p>
      <Copied label="MCP address of this Haldir" text={`${haldir}/mcp`} />
      <ChoiceField label="Client" choices={titles} value={name} onChoice={choose} />
      {setup && (
        <>
          <Copied label={`For ${setup.title}`} text={setup.text} />
          <p className="hint">{setup.where}</p>
        </>
      )}
    </section>
  );
}
