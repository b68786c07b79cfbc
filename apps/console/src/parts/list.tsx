import {
  type InfiniteData,
  infiniteQueryOptions,
  useInfiniteQuery,
  type UseInfiniteQueryOptions,
} from '@tanstack/react-query';
import { type ReactNode } from 'react';
import { More } from './more.tsx';
import { Unread } from './states.tsx';

/** As many are read at once. */
const PAGE = 50;

interface Page<Item> {
  items: readonly Item[];
  /** The cursor of the page behind it; null on the last. */
  next: string | null;
}

/**
 * A list of the API, page by page.
 *
 * @param key what tells it from other lists, its filters included
 * @param read one page of it, by its cursor
 */
export const listQuery = <Item,>(
  key: readonly unknown[],
  read: (page: { limit: number; cursor?: string }, signal: AbortSignal) => Promise<Page<Item>>,
) =>
  infiniteQueryOptions({
    queryKey: key,
    queryFn: ({ pageParam, signal }) => read({ limit: PAGE, ...(pageParam !== '' && { cursor: pageParam }) }, signal),
    initialPageParam: '',
    getNextPageParam: ({ next }) => next,
  });

type ListQuery<Item> = UseInfiniteQueryOptions<Page<Item>, Error, InfiniteData<Page<Item>>, readonly unknown[], string>;

/**
 * A list in whichever state it is: being read, not to be read, without anything in it, or with what was read of it so far.
 *
 * @param empty what is shown of one without anything in it
 */
export function List<Item>({
  of,
  empty,
  children,
}: {
  of: ListQuery<Item>;
  empty: ReactNode;
  children: (items: readonly Item[]) => ReactNode;
}): ReactNode {
  const { data, error, refetch, ...pages } = useInfiniteQuery(of);
  if (data === undefined) return <Unread error={error} again={refetch} />;
  const items = data.pages.flatMap((page) => page.items);
  if (items.length === 0 && !pages.hasNextPage) return empty;
  return (
    <>
      {error !== null && (
        <p className="notice" role="status">
          Not up to date: {error.message}
        </p>
      )}
      {children(items)}
      <More {...pages} />
    </>
  );
}
