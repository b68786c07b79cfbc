import { type ReactNode } from 'react';
import mark from './mark.svg';

export function Mark(): ReactNode {
  return <img className="mark" src={mark} alt="" width="28" height="28" />;
}
