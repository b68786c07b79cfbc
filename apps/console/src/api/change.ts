import { useMutation, useQueryClient } from '@tanstack/react-query';

/**
 * Something that is sent when somebody presses, after which what was read is read anew, taken or not: what was refused may have been, because
 * something has changed.
 *
 * @param reads first members of the keys of queries that may show something else then
 */
export function useChange<Answer, Input = void>(send: (input: Input) => Promise<Answer>, ...reads: string[]) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: send,
    onSettled: () =>
      Promise.all(reads.map((what) => client.invalidateQueries({ queryKey: [what] }))).then(() => undefined),
  });
}
