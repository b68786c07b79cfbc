// The suite asks `fs` for `globSync`, which Node 20 has not, and which a run against a server never calls.
import fs from 'node:fs';
import { register } from 'node:module';

const HOOKS = `
const shim = 'shim:fs';
export const resolve = (name, context, next) =>
  /^(node:)?fs$/.test(name) && context.parentURL?.includes('conformance')
    ? { url: shim, shortCircuit: true, format: 'module' }
    : next(name, context);
export const load = (url, context, next) =>
  url === shim
    ? { format: 'module', shortCircuit: true, source: 'export * from "node:fs"; export { default } from "node:fs"; export const globSync = () => [];' }
    : next(url, context);
`;
if (!('globSync' in fs)) register(`data:text/javascript,${encodeURIComponent(HOOKS)}`, import.meta.url);
