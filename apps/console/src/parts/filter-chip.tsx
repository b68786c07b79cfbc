import { Link } from '@tanstack/react-router';
import { type ReactNode } from 'react';

/**
 * A filter of the view that is shown; whoever presses it takes it away.
 *
 * @param name of the member of the address
 * @param label in words, for who hears it
 */
export function FilterChip({ name, label, children }: { name: string; label: string; children: ReactNode }): ReactNode {
  return (
    <Link
      to="."
      search={((before: Record<string, unknown>) => ({ ...before, [name]: undefined })) as never}
      activeOptions={{ exact: true }}
      className="chip"
      aria-label={`Remove the filter ${label}`}
    >
      {children} <span aria-hidden="true">✕</span>
    </Link>
  );
}
