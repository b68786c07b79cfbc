import { type ReactNode, useState } from 'react';
import { BASE } from '../base.ts';
import { Copied } from '../parts/copied.tsx';
import { ChoiceField } from '../parts/form.tsx';
import { setups } from '../proxy/clients.ts';
import { type MadeKey } from './keys.ts';

/** A key that was made just now, which is shown once, and what whoever gets it does with it. */
export function MadeKeyShown({ made }: { made: MadeKey }): ReactNode {
  return (
    <>
      <p className="notice" role="status">
        Copy the key now: it is not shown again.
      </p>
      <Copied label={`The key ${made.prefix}…`} text={made.key} />
      {made.agent ? <ForAgent /> : made.connector ? <ForConnector of={made.connector} /> : <ForProgram />}
    </>
  );
}

const here = (): string => location.origin + BASE;

/** Every client that people use has its own way to be told where Haldir is. */
function ForAgent(): ReactNode {
  const [name, choose] = useState('claude-code');
  const all = setups(here());
  const setup = all[name];
  const titles = Object.fromEntries(Object.entries(all).map(([each, { title }]) => [each, title]));
  return (
    <>
      <ChoiceField label="Set it up in" choices={titles} value={name} onChoice={choose} />
      {setup && (
        <div>
          <Copied label={`For ${setup.title}`} text={setup.text} />
          <p className="hint">{setup.where}</p>
        </div>
      )}
      <Copied label="Its environment" text={'export HALDIR_API_KEY=…'} />
    </>
  );
}

function ForConnector({ of: { upstream } }: { of: NonNullable<MadeKey['connector']> }): ReactNode {
  return (
    <div>
      <Copied
        label="Beside the server, with the key in HALDIR_API_KEY"
        text={`HALDIR_URL=${here()} HALDIR_API_KEY=… haldir connect ${upstream} -- npx -y @modelcontextprotocol/server-filesystem ~/shared`}
      />
      <p className="hint">
        What stands behind <code>--</code> starts the MCP server. Nothing listens there: it dials out.
      </p>
    </div>
  );
}

function ForProgram(): ReactNode {
  return <Copied label="Try it" text={`curl -sS ${here()}/v1/sessions -H "Authorization: Bearer $HALDIR_KEY"`} />;
}
