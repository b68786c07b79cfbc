const SCHEME = 'connector:';

/** In place of the address of an upstream that a connector stands for. */
export function connectorUrl(upstream: string): string {
  return SCHEME + upstream;
}

export function isConnectorUrl(url: string): boolean {
  return url.toLowerCase().startsWith(SCHEME);
}
