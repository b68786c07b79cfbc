import { Link } from '@tanstack/react-router';
import { type ReactNode, useState } from 'react';
import '../admin.css';
import '../views.css';
import { useChange } from '../api/change.ts';
import { useMay } from '../api/may.ts';
import { Confirm } from '../parts/confirm.tsx';
import { ChoiceField, TextField } from '../parts/form.tsx';
import { FormDialog } from '../parts/form-dialog.tsx';
import { visible } from '../parts/hidden.ts';
import { List } from '../parts/list.tsx';
import { Meter } from '../parts/meter.tsx';
import { usd } from '../parts/money.ts';
import { PageHead } from '../parts/page-head.tsx';
import { Said } from '../parts/said.tsx';
import { Empty } from '../parts/states.tsx';
import { Table } from '../parts/table.tsx';
import { type Budget, BUDGETS, budgetsQuery, removeBudget, setBudget } from './budgets.ts';

type Open = { kind: 'add' } | { kind: 'change' | 'remove'; budget: Budget };

export function BudgetsPage(): ReactNode {
  const mayChange = useMay('admin:write');
  const [open, setOpen] = useState<Open | null>(null);
  const close = (): void => setOpen(null);
  const removing = useChange(removeBudget, BUDGETS, 'approvals');
  return (
    <>
      <PageHead title="Budgets">
        {mayChange && (
          <button type="button" className="primary" onClick={() => setOpen({ kind: 'add' })}>
            Add a budget…
          </button>
        )}
      </PageHead>
      <List
        of={budgetsQuery}
        empty={
          <Empty title="No budget above sessions.">
            <p className="muted">
              A budget limits what all agents spend in a month, or one agent in a day, over all its sessions. Without
              one, the limits of keys and sessions hold.
            </p>
          </Empty>
        }
      >
        {(budgets) => (
          <Table
            label="Budgets"
            heads={['Whose', 'Period', 'Spent', { number: 'Left' }, { actions: 'Actions' }]}
            rows={budgets.map((budget) => ({
              key: budget.id,
              cells: [
                <Whose of={budget} />,
                budget.period === 'month' ? 'UTC month' : 'UTC day',
                budget.spent === null ? (
                  <span className="muted">{usd(budget.limit)} each</span>
                ) : (
                  <Meter spent={budget.spent} held={budget.held ?? 0} limit={budget.limit} />
                ),
                budget.remaining === null ? '' : usd(budget.remaining),
                mayChange && (
                  <span className="actions-in-row">
                    <button
                      type="button"
                      className="small"
                      aria-label={`Change the budget: ${nameOf(budget)}`}
                      onClick={() => setOpen({ kind: 'change', budget })}
                    >
                      Change…
                    </button>
                    <button
                      type="button"
                      className="small deny"
                      aria-label={`Remove the budget: ${nameOf(budget)}`}
                      onClick={() => setOpen({ kind: 'remove', budget })}
                    >
                      Remove…
                    </button>
                  </span>
                ),
              ],
            }))}
          />
        )}
      </List>
      {open?.kind === 'add' && <BudgetDialog budget={null} onClosed={close} />}
      {open?.kind === 'change' && <BudgetDialog budget={open.budget} onClosed={close} />}
      {open?.kind === 'remove' && (
        <Confirm
          title="Remove the budget"
          button="Remove"
          act={() => removing.mutateAsync(open.budget)}
          onClosed={close}
        >
          <p>
            Without it, {nameOf(open.budget)} may spend more than {usd(open.budget.limit)}, up to the limits of keys and
            sessions.
          </p>
        </Confirm>
      )}
    </>
  );
}

function Whose({ of: { scope, agent_id: agent } }: { of: Budget }): ReactNode {
  if (scope === 'tenant') return 'All agents together';
  if (agent === null) return 'Every agent without one of its own';
  return (
    <Link to="/agents" search={{ agent }} className="row-link">
      <Said text={agent} />
    </Link>
  );
}

function nameOf({ scope, agent_id: agent }: Budget): string {
  if (scope === 'tenant') return 'all agents together';
  return agent === null ? 'every agent without one of its own' : visible(agent);
}

const KINDS = {
  agent: 'One agent, each UTC day',
  agents: 'Every agent without one of its own, each UTC day',
  tenant: 'All agents together, each UTC month',
};

/** @param budget null for a new one */
function BudgetDialog({ budget, onClosed }: { budget: Budget | null; onClosed: () => void }): ReactNode {
  const [kind, setKind] = useState<keyof typeof KINDS>('agent');
  const [agent, setAgent] = useState('');
  const [limit, setLimit] = useState(budget === null ? '' : String(budget.limit));
  const setting = useChange(setBudget, BUDGETS, 'approvals');
  const act = (): Promise<unknown> => {
    const amount = Number(limit);
    if (budget) return setting.mutateAsync({ scope: budget.scope, agent_id: budget.agent_id, limit: amount });
    if (kind === 'agent') return setting.mutateAsync({ scope: 'agent', agent_id: agent, limit: amount });
    return setting.mutateAsync({ scope: kind === 'tenant' ? 'tenant' : 'agent', limit: amount });
  };
  return (
    <FormDialog
      title={budget ? `Change the budget: ${nameOf(budget)}` : 'Add a budget'}
      button={budget ? 'Change' : 'Add'}
      act={act}
      onClosed={onClosed}
    >
      {budget === null && <ChoiceField label="Whose" choices={KINDS} value={kind} onChoice={setKind} />}
      {budget === null && kind === 'agent' && (
        <TextField label="Agent" required maxLength={128} value={agent} onText={setAgent} />
      )}
      <TextField
        label="Limit in US dollars"
        hint="What was spent in the period before is counted."
        inputMode="decimal"
        required
        value={limit}
        onText={setLimit}
      />
    </FormDialog>
  );
}
