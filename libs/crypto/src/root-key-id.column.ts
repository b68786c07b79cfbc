import { wholeNumber } from '@haldir/database';
import { Column, type ColumnOptions } from 'typeorm';

/** The number of a root key, as the settings give it. */
export function RootKeyIdColumn(options: ColumnOptions): PropertyDecorator {
  return Column({ ...options, type: 'bigint', transformer: wholeNumber });
}
