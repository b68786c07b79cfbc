import { type DataSource } from 'typeorm';

/** @throws when the database does not answer */
export async function ping(dataSource: DataSource): Promise<void> {
  await dataSource.query('SELECT 1');
}
