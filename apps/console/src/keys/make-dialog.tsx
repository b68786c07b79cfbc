import { type ReactNode, useState } from 'react';
import { useChange } from '../api/change.ts';
import { ChoiceField, TextField } from '../parts/form.tsx';
import { FormDialog } from '../parts/form-dialog.tsx';
import { KEYS, makeKey, type NewKey } from './keys.ts';
import { MadeKeyShown } from './made-key.tsx';
import { KEY_SCOPES } from './scopes.ts';

const KIND = {
  agent: 'Agent key: acts as one agent, under a ceiling',
  connector: 'Connector key: stands for one upstream',
  key: 'Operator key: does what its scopes say',
};
const REACH = { '*:read': 'Read everything', '*': 'Everything', some: 'Some scopes…' };
const PERIOD = { day: 'Each UTC day', month: 'Each UTC month', total: 'In its whole life' };
const TIER = { pro: 'pro', enterprise: 'enterprise', free: 'free' };
const END = { never: 'Never', '30': 'In 30 days', '90': 'In 90 days', '365': 'In a year' };

/** Makes a key, and shows it, once. */
export function MakeDialog({ onClosed }: { onClosed: () => void }): ReactNode {
  const [kind, setKind] = useState<keyof typeof KIND>('agent');
  const [name, setName] = useState('');
  const [tier, setTier] = useState<keyof typeof TIER>('pro');
  const [end, setEnd] = useState<keyof typeof END>('never');
  const [reach, setReach] = useState<keyof typeof REACH>('*:read');
  const [scopes, setScopes] = useState<readonly string[]>([]);
  const [agent, setAgent] = useState({ id: '', scopes: 'read execute', hours: '24', limit: '0', upstreams: '' });
  const [period, setPeriod] = useState<keyof typeof PERIOD>('day');
  const [connector, setConnector] = useState({ upstream: '', secrets: '' });
  const making = useChange(makeKey, KEYS);

  const body = (): NewKey => {
    const common = {
      name: name === '' ? defaultName() : name,
      tier,
      expires_at: end === 'never' ? null : inDays(Number(end)),
    };
    if (kind === 'key') return { ...common, scopes: reach === 'some' ? [...scopes] : [reach] };
    if (kind === 'connector')
      return { ...common, connector: { upstream: connector.upstream, secrets: words(connector.secrets) } };
    const upstreams = words(agent.upstreams);
    return {
      ...common,
      agent: {
        agent_id: agent.id,
        scopes: words(agent.scopes),
        ttl: Math.round(Number(agent.hours) * 3600),
        spend_limit: Number(agent.limit),
        spend_period: period,
        catalogue: 'full' as const,
        ...(upstreams.length > 0 && { upstreams }),
      },
    };
  };
  const defaultName = (): string =>
    kind === 'agent' ? agent.id : kind === 'connector' ? connector.upstream : 'default';

  return (
    <FormDialog
      title="Make a key"
      button="Make the key"
      act={async () => <MadeKeyShown made={await making.mutateAsync(body())} />}
      onClosed={onClosed}
    >
      <ChoiceField label="Kind" choices={KIND} value={kind} onChoice={setKind} />
      {kind === 'agent' && (
        <>
          <TextField
            label="Agent"
            hint="Its name, in the log and everywhere."
            required
            maxLength={128}
            value={agent.id}
            onText={(id) => setAgent({ ...agent, id })}
          />{' '}
          {/* prettier-ignore */}
          <TextField label="Scopes of its sessions" hint="What it may do, with spaces between." required value={agent.scopes} onText={(held) => setAgent({ ...agent, scopes: held })} />{' '}
          {/* prettier-ignore */}
          <div className="beside">
            <TextField label="May spend, in US dollars" inputMode="decimal" required value={agent.limit} onText={(limit) => setAgent({ ...agent, limit })} /> {/* prettier-ignore */}
            <ChoiceField label="Of which" choices={PERIOD} value={period} onChoice={setPeriod} />
          </div>
          <TextField
            label="Hours that a session lives at most"
            inputMode="decimal"
            required
            value={agent.hours}
            onText={(hours) => setAgent({ ...agent, hours })}
          />{' '}
          {/* prettier-ignore */}
          <TextField label="Upstreams" hint="Names, with spaces between. Empty: every upstream." value={agent.upstreams} onText={(upstreams) => setAgent({ ...agent, upstreams })} />{' '}
          {/* prettier-ignore */}
        </>
      )}
      {kind === 'connector' && (
        <>
          <TextField
            label="Upstream"
            required
            maxLength={64}
            value={connector.upstream}
            onText={(upstream) => setConnector({ ...connector, upstream })}
          />{' '}
          {/* prettier-ignore */}
          <TextField label="Secrets that it may read" hint="Names, with spaces between. Empty: none." value={connector.secrets} onText={(secrets) => setConnector({ ...connector, secrets })} />{' '}
          {/* prettier-ignore */}
        </>
      )}
      {kind === 'key' && (
        <>
          <ChoiceField label="What it may do" choices={REACH} value={reach} onChoice={setReach} />
          {reach === 'some' && <Scopes held={scopes} onHeld={setScopes} />}
        </>
      )}
      <TextField
        label="Name"
        hint="For people."
        maxLength={128}
        value={name}
        onText={setName}
        placeholder={defaultName()}
      />
      <div className="beside">
        <ChoiceField label="Ends" choices={END} value={end} onChoice={setEnd} />
        <ChoiceField label="Tier" choices={TIER} value={tier} onChoice={setTier} />
      </div>
    </FormDialog>
  );
}

function Scopes({ held, onHeld }: { held: readonly string[]; onHeld: (scopes: readonly string[]) => void }): ReactNode {
  return (
    <fieldset>
      <legend>Scopes</legend>
      <div className="checks">
        {KEY_SCOPES.map((scope) => (
          <label key={scope} className="check">
            <input
              type="checkbox"
              checked={held.includes(scope)}
              onChange={({ target }) =>
                onHeld(target.checked ? [...held, scope] : held.filter((each) => each !== scope))
              }
            />
            {scope}
          </label>
        ))}
      </div>
    </fieldset>
  );
}

const words = (text: string): string[] => text.split(/[\s,]+/).filter((word) => word !== '');

const inDays = (days: number): string => new Date(Date.now() + days * 86_400_000).toISOString();
