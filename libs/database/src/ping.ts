/** @throws when the database at the other end does not answer */
export async function ping(connection: { query(text: string): Promise<unknown> }): Promise<void> {
  await connection.query('SELECT 1');
}
