import { useMutation, useQueryClient } from '@tanstack/react-query';

/**
 * Something that is sent when somebody presses, after which what was read is read anew.
 *
 * @param reads first members of the keys of queries that may show something else then
 */
export function useChange<Input, Answer>(send: (input: Input) => Promise<Answer>, ...reads: string[]) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: send,
    onSuccess: () =>
      Promise.all(reads.map((what) => client.invalidateQueries({ queryKey: [what] }))).then(() => undefined),
  });
}
