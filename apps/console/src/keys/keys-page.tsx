import { getRouteApi, Link } from '@tanstack/react-router';
import { type ReactNode, useState } from 'react';
import '../admin.css';
import '../views.css';
import { useChange } from '../api/change.ts';
import { useMay } from '../api/may.ts';
import { serverSeconds } from '../api/server-clock.ts';
import { Confirm } from '../parts/confirm.tsx';
import { ChoiceField } from '../parts/form.tsx';
import { FormDialog } from '../parts/form-dialog.tsx';
import { FilterChip } from '../parts/filter-chip.tsx';
import { visible } from '../parts/hidden.ts';
import { List } from '../parts/list.tsx';
import { usd } from '../parts/money.ts';
import { PageHead } from '../parts/page-head.tsx';
import { Said } from '../parts/said.tsx';
import { StateMark } from '../parts/state-mark.tsx';
import { Empty } from '../parts/states.tsx';
import { Table } from '../parts/table.tsx';
import { When } from '../parts/times.tsx';
import { type Key, KEYS, keysQuery, revokeKey, rotateKey } from './keys.ts';
import { MadeKeyShown } from './made-key.tsx';
import { MakeDialog } from './make-dialog.tsx';
import { type KeysSearch, KINDS } from './search.ts';

const route = getRouteApi('/keys');

const TITLES = { key: 'Operator', agent: 'Agent', connector: 'Connector' } as const;

type Open = { kind: 'make' } | { kind: 'rotate' | 'revoke'; key: Key };

export function KeysPage(): ReactNode {
  const search = route.useSearch();
  const mayWrite = useMay('admin:write');
  const [open, setOpen] = useState<Open | null>(null);
  const close = (): void => setOpen(null);
  const revoking = useChange(revokeKey, KEYS);
  return (
    <>
      <PageHead title="API keys">
        {mayWrite && (
          <button type="button" className="primary" onClick={() => setOpen({ kind: 'make' })}>
            Make a key…
          </button>
        )}
      </PageHead>
      <Filters search={search} />
      <List
        of={keysQuery(search)}
        empty={
          <Empty
            title={
              search.kind === undefined
                ? 'There are no keys.'
                : `There is no ${search.kind === 'key' ? 'operator' : search.kind} key.`
            }
          >
            {' '}
            {/* prettier-ignore */}
            <p className="muted">Give each agent a key of its own: it acts as that agent, under a ceiling.</p>
          </Empty>
        }
      >
        {(keys) => (
          <Table
            label="API keys"
            heads={['Key', 'May', 'Last used', 'Ends', { actions: 'Actions' }]}
            rows={keys.map((key) => ({
              key: key.prefix,
              cells: [
                <KeyName of={key} />,
                <Reach of={key} />,
                key.last_used === null ? <span className="muted">never</span> : <When at={key.last_used} />, // prettier-ignore
                <End of={key} />,
                mayWrite && !isOver(key) && (
                  <span className="actions-in-row">
                    <button
                      type="button"
                      className="small"
                      aria-label={`Rotate ${key.prefix}`}
                      onClick={() => setOpen({ kind: 'rotate', key })}
                    >
                      Rotate…
                    </button>
                    <button
                      type="button"
                      className="small deny"
                      aria-label={`Revoke ${key.prefix}`}
                      onClick={() => setOpen({ kind: 'revoke', key })}
                    >
                      Revoke…
                    </button>
                  </span>
                ),
              ],
            }))}
          />
        )}
      </List>
      {open?.kind === 'make' && <MakeDialog onClosed={close} />}
      {open?.kind === 'rotate' && <RotateDialog of={open.key} onClosed={close} />}
      {open?.kind === 'revoke' && (
        <Confirm
          title={
            <>
              Revoke <Said text={open.key.name} />
            </>
          }
          typed={open.key.prefix}
          button="Revoke"
          act={() => revoking.mutateAsync(open.key)}
          onClosed={close}
        >
          <p>Every process refuses it from the next request on. It cannot be taken back.</p>
        </Confirm>
      )}
    </>
  );
}

function Filters({ search: { agent_id: agent, all } }: { search: KeysSearch }): ReactNode {
  return (
    <div className="filters">
      <nav className="tabs" aria-label="By kind">
        {[undefined, ...KINDS].map((kind) => (
          <Link
            key={kind ?? 'all'}
            from="/keys"
            to="/keys"
            search={(before) => ({ ...before, kind })}
            activeOptions={{ exact: true }}
          >
            {kind === undefined ? 'All' : TITLES[kind]}
          </Link>
        ))}
      </nav>
      <div className="chips">
        {agent !== undefined && (
          <FilterChip name="agent_id" label={`Agent: ${visible(agent)}`}>
            Agent: <Said text={agent} />
          </FilterChip>
        )}
        <Link
          from="/keys"
          to="/keys"
          search={(before) => ({ ...before, all: all ? undefined : true })}
          activeOptions={{ exact: true }}
          className={all ? 'chip' : 'chip add'}
        >
          {all ? 'Revoked and expired, too ✕' : 'Show revoked and expired'}
        </Link>
      </div>
    </div>
  );
}

function KeyName({ of: { name, prefix, principal, agent, connector } }: { of: Key }): ReactNode {
  const kind = agent ? 'agent key' : connector ? 'connector key' : 'operator key';
  return (
    <>
      <Said text={name} />
      <br />
      <span className="hint">
        <code>{prefix}</code> · {kind}
        {principal !== prefix && (
          <>
            , rotated from <code>{principal}</code>
          </>
        )}
      </span>
    </>
  );
}

function Reach({ of: { scopes, agent, connector } }: { of: Key }): ReactNode {
  if (agent) {
    const { agent_id: id, spend_limit: limit, spend_period: period, upstreams } = agent;
    return (
      <>
        act as{' '}
        <Link to="/agents" search={{ agent: id }}>
          <Said text={id} />
        </Link>
        <br />
        <span className="hint">
          {limit === 0
            ? 'spends nothing'
            : `spends up to ${usd(limit)} ${period === 'total' ? 'in all' : `a ${period}`}`}
          {upstreams && `, ${upstreams.map(visible).join(', ')} only`}
        </span>
      </>
    );
  }
  if (connector) {
    return (
      <>
        stand for <Said text={connector.upstream} />
      </>
    );
  }
  return (
    <span className="scopes">
      {scopes.map((scope) => (
        <code key={scope}>{scope}</code>
      ))}
    </span>
  );
}

function isOver({ revoked, expires_at: end }: Key): boolean {
  return revoked || (end !== null && end <= serverSeconds());
}

function End({ of: key }: { of: Key }): ReactNode {
  if (key.revoked) return <StateMark is="wrong">revoked</StateMark>;
  if (key.expires_at === null) return <span className="muted">never</span>;
  if (isOver(key)) return <StateMark is="off">expired</StateMark>;
  return <When at={key.expires_at} />;
}

const OVERLAPS = { '86400': 'A day', '604800': 'A week', '3600': 'An hour', '0': 'Not at all: it ends at once' };

function RotateDialog({ of: { prefix, name }, onClosed }: { of: Key; onClosed: () => void }): ReactNode {
  const [overlap, setOverlap] = useState<keyof typeof OVERLAPS>('86400');
  const rotating = useChange(rotateKey, KEYS);
  return (
    <FormDialog
      title={
        <>
          Rotate <Said text={name} />
        </>
      }
      button="Rotate"
      act={async () => <MadeKeyShown made={await rotating.mutateAsync({ prefix, overlap_seconds: Number(overlap) })} />}
      onClosed={onClosed}
    >
      <p>
        A new secret for the same principal: its session, quota and budget go on, and so does the log under its name.
      </p>
      <ChoiceField label="The old key is good for" choices={OVERLAPS} value={overlap} onChoice={setOverlap} />
    </FormDialog>
  );
}
