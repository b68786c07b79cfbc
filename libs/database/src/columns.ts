import { Column, type ColumnOptions } from 'typeorm';

const bigintTransformer = {
  to: (value: bigint | null | undefined): string | null | undefined =>
    typeof value === 'bigint' ? value.toString() : value,
  from: (value: string | null): bigint | null => (value === null ? null : BigInt(value)),
};

/** A 64-bit integer as a `bigint`: money, sizes and positions. */
export function BigIntColumn(options: ColumnOptions = {}): PropertyDecorator {
  return Column({ ...options, type: 'bigint', transformer: bigintTransformer });
}

/** For a column of 64-bit integers that are counts or numbers of rows, as a `number`: exact up to 2^53. */
export const wholeNumber = { to: (value: number): number => value, from: Number };
