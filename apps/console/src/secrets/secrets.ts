import { queryOptions } from '@tanstack/react-query';
import { answered, api } from '../api/client.ts';
import { type components, type operations } from '../api/schema.ts';
import { listQuery } from '../parts/list.tsx';

export type Secret = components['schemas']['SecretItem'];
export type NewSecret = operations['storeSecret']['requestBody']['content']['application/json'];
type Entry = components['schemas']['AuditEntry'];

/** Everything that is read of secrets. */
export const SECRETS = 'secrets';

/** As many entries of the vault are looked through for who used a secret. */
export const USES_READ = 500;

export const secretsQuery = listQuery([SECRETS, 'list'], async (page, signal) => {
  const { details, next_cursor: next } = await answered(api.GET('/v1/secrets', { params: { query: page }, signal }));
  return { items: details, next };
});

export const versionsQuery = (name: string) =>
  listQuery([SECRETS, 'versions', name], async (page, signal) => {
    const { versions, next_cursor: next } = await answered(
      api.GET('/v1/secrets/{name}/versions', { params: { path: { name }, query: page }, signal }),
    );
    return { items: versions, next };
  });

/** Those that can be restored still. */
export const deletedQuery = listQuery([SECRETS, 'deleted'], async (page, signal) => {
  const { deleted, next_cursor: next } = await answered(
    api.GET('/v1/deleted-secrets', { params: { query: page }, signal }),
  );
  return { items: deleted, next };
});

/** Who read a secret, or had it put into a call, of the last entries of the vault; newest first. */
export const usesQuery = (name: string) =>
  queryOptions({
    queryKey: [SECRETS, 'uses', name],
    queryFn: async ({ signal }): Promise<Entry[]> => {
      const query = { tool: 'haldir.vault', limit: USES_READ };
      const { entries } = await answered(api.GET('/v1/audit', { params: { query }, signal }));
      return entries.filter(({ action, details }) => USES.includes(action) && nameIn(details) === name);
    },
  });

const USES = ['secret_read', 'secret_used', 'secret_read_denied'];

function nameIn(details: string | null | undefined): unknown {
  try {
    return (JSON.parse(details ?? '') as { name?: unknown } | null)?.name;
  } catch {
    return undefined;
  }
}

export function storeSecret(body: NewSecret): Promise<unknown> {
  return answered(api.POST('/v1/secrets', { body }));
}

export function rollBack({ name, version }: { name: string; version: number }): Promise<unknown> {
  return answered(api.POST('/v1/secrets/{name}/rollback', { params: { path: { name } }, body: { version } }));
}

export function deleteSecret(name: string): Promise<unknown> {
  return answered(api.DELETE('/v1/secrets/{name}', { params: { path: { name } } }));
}

export function restoreSecret(id: string): Promise<unknown> {
  return answered(api.POST('/v1/deleted-secrets/{secret_id}/restore', { params: { path: { secret_id: id } } }));
}
