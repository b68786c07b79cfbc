import { type ReactNode, useState } from 'react';

/** Read before anything is painted, by public/console/theme.js. */
const KEPT = 'haldir.theme';

type Theme = 'light' | 'dark';

function shownTheme(): Theme {
  const { theme } = document.documentElement.dataset;
  if (theme === 'light' || theme === 'dark') return theme;
  return matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light';
}

/** Changes the colours, in this browser alone. */
export function ThemeSwitch(): ReactNode {
  const [theme, set] = useState(shownTheme);
  const other = theme === 'dark' ? 'light' : 'dark';
  const change = (): void => {
    document.documentElement.dataset['theme'] = other;
    localStorage.setItem(KEPT, other);
    set(other);
  };
  return (
    <button type="button" className="quiet" onClick={change} aria-label={`Use ${other} colours`}>
      {theme === 'dark' ? '☀' : '☾'}
    </button>
  );
}
