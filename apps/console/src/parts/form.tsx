// What forms are made of.
import { type ComponentProps, type ReactNode, useId } from 'react';
import { Problem } from '../api/problem.ts';

interface Named {
  label: string;
  hint?: ReactNode;
}

interface Described {
  id: string;
  'aria-describedby'?: string;
}

function Field({ label, hint, children }: Named & { children: (described: Described) => ReactNode }): ReactNode {
  const id = useId();
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      {children({ id, ...(hint === undefined ? {} : { 'aria-describedby': `${id}-hint` }) })}
      {hint !== undefined && (
        <span id={`${id}-hint`} className="hint">
          {hint}
        </span>
      )}
    </div>
  );
}

type Told = { onText: (text: string) => void };

export function TextField({
  label,
  hint,
  onText,
  ...input
}: Named & Told & Omit<ComponentProps<'input'>, 'onChange' | 'id'>): ReactNode {
  return (
    <Field label={label} hint={hint}>
      {(described) => (
        <input
          type="text"
          autoComplete="off"
          spellCheck={false}
          {...input}
          {...described}
          onChange={({ target }) => onText(target.value)}
        />
      )}
    </Field>
  );
}

export function AreaField({
  label,
  hint,
  onText,
  ...area
}: Named & Told & Omit<ComponentProps<'textarea'>, 'onChange' | 'id'>): ReactNode {
  return (
    <Field label={label} hint={hint}>
      {(described) => (
        <textarea
          autoComplete="off"
          spellCheck={false}
          {...area}
          {...described}
          onChange={({ target }) => onText(target.value)}
        />
      )}
    </Field>
  );
}

/** @param choices what is shown, by value */
export function ChoiceField<Value extends string>({
  label,
  hint,
  choices,
  value,
  onChoice,
}: Named & { choices: Record<Value, string>; value: Value; onChoice: (value: Value) => void }): ReactNode {
  return (
    <Field label={label} hint={hint}>
      {(described) => (
        <select {...described} value={value} onChange={({ target }) => onChoice(target.value as Value)}>
          {Object.entries<string>(choices).map(([each, text]) => (
            <option key={each} value={each}>
              {text}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}

/** Why what was sent was not taken; nothing while nothing was wrong. */
export function Refused({ error }: { error: unknown }): ReactNode {
  if (error === null || error === undefined) return null;
  const problem = error instanceof Problem ? error : new Problem('Something went wrong in this page. Try again.', 0);
  const { message, required, requestId } = problem;
  return (
    <p className="notice danger" role="alert">
      {message}
      {required !== '' && ` Your role lacks the scope ${required}.`}
      {requestId !== '' && (
        <>
          {' '}
          The log has it as <code>{requestId}</code>.
        </>
      )}
    </p>
  );
}
