import { type FormEvent, type ReactNode, useState } from 'react';

/** Searches a list by a part of a name. @param onName empty for all */
export function NameSearch({ name, onName }: { name: string; onName: (name: string) => void }): ReactNode {
  const [text, setText] = useState(name);
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    onName(text.trim());
  };
  return (
    <form onSubmit={submit} role="search">
      <input aria-label="Name contains" type="search" value={text} onChange={({ target }) => setText(target.value)} />
      <button type="submit">Search</button>
    </form>
  );
}
