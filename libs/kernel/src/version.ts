/** The product's version, as the API, the CLI and the worker report it. */
export const VERSION = '0.1.0';
