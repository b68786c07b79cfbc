// @ts-check
// Loaded before the MCP server, which by itself would listen on every address: keeps it to this machine, and ends it when
// the process that started it is gone.
import net from 'node:net';

const prototype = /** @type {any} */ (net.Server.prototype);
const { listen } = prototype;
/** @this {net.Server} @param {[port: unknown, ...rest: unknown[]]} args */
prototype.listen = function (...[port, ...rest]) {
  const isPort = /^\d+$/.test(String(port)) && typeof rest[0] !== 'string';
  return isPort ? listen.call(this, Number(port), '127.0.0.1', ...rest) : listen.call(this, port, ...rest);
};
process.on('disconnect', () => process.exit(0));
