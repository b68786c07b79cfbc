// What a view is while it has nothing to show: the same everywhere.
import { type ReactNode } from 'react';
import { Problem } from '../api/problem.ts';

export function Loading(): ReactNode {
  return (
    <p className="state" role="status">
      Loading…
    </p>
  );
}

/** What is not there yet, or could not be read. @param error null while it is being read */
export function Unread({ error, again }: { error: unknown; again: () => unknown }): ReactNode {
  return error === null ? <Loading /> : <Failed error={error} again={again} />;
}

/** @param children what to do next */
export function Empty({ title, children }: { title: string; children?: ReactNode }): ReactNode {
  return (
    <div className="state">
      <p className="state-title">{title}</p>
      {children}
    </div>
  );
}

/** What went wrong, what the log has of it, and another try. */
export function Failed({ error, again }: { error: unknown; again: () => unknown }): ReactNode {
  if (error instanceof Problem && error.status === 403)
    return <Forbidden required={error.required} said={error.message} />;
  const { message, requestId } =
    error instanceof Problem ? error : new Problem('Something went wrong in this page. Load it again.', 0);
  return (
    <div className="state" role="alert">
      <p className="state-title">{message}</p>
      {requestId !== '' && (
        <p className="muted">
          The log has it as <code>{requestId}</code>.
        </p>
      )}
      <button type="button" onClick={() => void again()}>
        Try again
      </button>
    </div>
  );
}

/** @param required the scope that is missing; empty where it is not known @param said why, where it is not known */
export function Forbidden({ required, said = '' }: { required: string; said?: string }): ReactNode {
  return (
    <div className="state" role="alert">
      <p className="state-title">Your role does not reach this.</p>
      <p className="muted">
        {required === '' ? said : `It lacks the scope ${required}.`} An owner can give you another role.
      </p>
    </div>
  );
}
