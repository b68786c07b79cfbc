import { type ReactNode } from 'react';
import { AreaField, ChoiceField, TextField } from '../parts/form.tsx';
import { ScopeFields } from './change-policy.tsx';
import { type Draft } from './draft.ts';
import { TYPES } from './types.ts';

/** The fields of a policy of its type. */
export function DraftFields({ draft, onDraft }: { draft: Draft; onDraft: (part: Partial<Draft>) => void }): ReactNode {
  return (
    <>
      <ChoiceField label="What it does" choices={TYPES} value={draft.type} onChoice={(type) => onDraft({ type })} />
      <Parameters draft={draft} onDraft={onDraft} />
      <details open={`${draft.scopeTools}${draft.scopeUpstreams}${draft.scopeAgents}` !== ''}>
        <summary>What it is about, and its priority</summary>
        <div className="form">
          <ScopeFields
            tools={draft.scopeTools}
            upstreams={draft.scopeUpstreams}
            agents={draft.scopeAgents}
            onTools={(scopeTools) => onDraft({ scopeTools })}
            onUpstreams={(scopeUpstreams) => onDraft({ scopeUpstreams })}
            onAgents={(scopeAgents) => onDraft({ scopeAgents })}
          />
          <TextField
            label="Priority"
            hint="-1000 to 1000. The higher comes first."
            type="number"
            step={1}
            value={draft.priority}
            onText={(priority) => onDraft({ priority })}
          />
        </div>
      </details>
    </>
  );
}

function Parameters({ draft, onDraft }: { draft: Draft; onDraft: (part: Partial<Draft>) => void }): ReactNode {
  const number = { type: 'number', min: 0, required: true } as const;
  switch (draft.type) {
    case 'block_tool':
      return (
        <TextField
          label="Tool"
          hint="Its own name, or upstream.tool"
          required
          value={draft.tool}
          onText={(tool) => onDraft({ tool })}
        />
      );
    case 'deny_list':
    case 'allow_list':
      return (
        <AreaField
          label="Names of tools"
          hint="One a line: its own name, or upstream.tool"
          rows={4}
          value={draft.tools}
          onText={(tools) => onDraft({ tools })}
        />
      );
    case 'spend_limit':
      return (
        <TextField
          label="The most that a call may spend, in USD"
          {...number}
          step="any"
          value={draft.max}
          onText={(max) => onDraft({ max })}
        />
      );
    case 'rate_limit':
      return (
        <TextField
          label="Calls of an agent in any minute"
          {...number}
          step={1}
          value={draft.perMinute}
          onText={(perMinute) => onDraft({ perMinute })}
        />
      );
    case 'time_window':
      return (
        <>
          <TextField
            label="From this hour on (UTC)"
            {...number}
            max={24}
            step={1}
            value={draft.from}
            onText={(from) => onDraft({ from })}
          />
          <TextField
            label="Until this hour (UTC)"
            {...number}
            max={24}
            step={1}
            value={draft.to}
            onText={(to) => onDraft({ to })}
          />
        </>
      );
    case 'require_approval':
      return null;
  }
}
