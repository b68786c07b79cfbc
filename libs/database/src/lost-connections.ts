interface Connection {
  on(event: 'error', listener: (error: Error) => void): unknown;
}

interface ConnectionPool {
  on(event: 'acquire', listener: (client: Connection) => void): unknown;
}

/**
 * Has the loss of a connection fail whatever is sent on it next, and nothing else. A pool listens for errors of the connections
 * that lie idle in it; one that is lent out and lost between two statements would end the process.
 */
export function tolerateLostConnections(pool: ConnectionPool): void {
  const known = new WeakSet<Connection>();
  pool.on('acquire', (client) => {
    if (known.has(client)) return;
    known.add(client);
    client.on('error', () => undefined);
  });
}
