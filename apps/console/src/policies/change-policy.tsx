import { type ReactNode, useState } from 'react';
import { useChange } from '../api/change.ts';
import { AreaField, ChoiceField, TextField } from '../parts/form.tsx';
import { FormDialog } from '../parts/form-dialog.tsx';
import { namesIn } from './draft.ts';
import { change, type Policy, POLICIES } from './policies.ts';
import { Sentence } from './sentence.tsx';

export const MODES = { enforce: 'Enforce it', log_only: 'Log only what it would do' };

/** Changes what can be changed of a policy: its mode, what it is about, and its place. */
export function ChangePolicy({ policy, onClosed }: { policy: Policy; onClosed: () => void }): ReactNode {
  const { id, scope } = policy;
  const [mode, setMode] = useState(policy.mode);
  const [tools, setTools] = useState(scope.tools.join('\n'));
  const [upstreams, setUpstreams] = useState(scope.upstreams.join('\n'));
  const [agents, setAgents] = useState(scope.agents.join('\n'));
  const [priority, setPriority] = useState(String(policy.priority));
  const changing = useChange(change, POLICIES);
  const wanted = { tools: namesIn(tools), upstreams: namesIn(upstreams), agents: namesIn(agents) };
  return (
    <FormDialog
      title="Change this policy"
      button="Save"
      act={() => changing.mutateAsync({ id, mode, scope: wanted, priority: Number(priority) })}
      onClosed={onClosed}
    >
      <p>
        <Sentence policy={{ ...policy, scope: wanted }} />
      </p>
      <ChoiceField label="Mode" choices={MODES} value={mode} onChoice={setMode} />
      <ScopeFields
        {...{ tools, upstreams, agents }}
        onTools={setTools}
        onUpstreams={setUpstreams}
        onAgents={setAgents}
      />
      <TextField
        label="Priority"
        hint="-1000 to 1000. The higher comes first."
        type="number"
        step={1}
        required
        value={priority}
        onText={setPriority}
      />
    </FormDialog>
  );
}

/** What a policy is about. */
export function ScopeFields({
  tools,
  upstreams,
  agents,
  onTools,
  onUpstreams,
  onAgents,
}: {
  tools: string;
  upstreams: string;
  agents: string;
  onTools: (text: string) => void;
  onUpstreams: (text: string) => void;
  onAgents: (text: string) => void;
}): ReactNode {
  return (
    <fieldset className="scope">
      <legend>What it is about</legend>
      <p className="hint">
        One name a line, <code>*</code> in it stands for anything. What is left empty is about all.
      </p>
      <AreaField label="Tools" rows={3} value={tools} onText={onTools} />
      <AreaField label="Upstreams" rows={2} value={upstreams} onText={onUpstreams} />
      <AreaField label="Agents" rows={2} value={agents} onText={onAgents} />
    </fieldset>
  );
}
