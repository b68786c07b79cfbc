import { type Caller, requireKeyScope } from '@haldir/http';

/** Whoever is given all of it may read each part. @throws MissingKeyScope */
export function requireReading(caller: Caller): void {
  for (const scope of ['audit:read', 'admin:read', 'approvals:read', 'proxy:read'] as const)
    requireKeyScope(caller, [scope]);
}
