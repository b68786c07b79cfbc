import { type FastifyInstance } from 'fastify';

/** Remembers the routes as they are added, so that a wrong method on a known path is 405 with `Allow`, not 404. */
export class KnownRoutes {
  private readonly routes: { pattern: RegExp; methods: Set<string> }[] = [];

  /** To be called before any route is added. */
  watch(fastify: FastifyInstance): void {
    fastify.addHook('onRoute', ({ url, method }) => {
      if (url.includes('*')) return;
      const source = url.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replace(/:[A-Za-z_]+/g, '[^/]+');
      const pattern = new RegExp(`^${source}/?$`);
      const known = this.routes.find((route) => route.pattern.source === pattern.source);
      const methods = known?.methods ?? new Set<string>();
      for (const name of [method].flat()) methods.add(name);
      if (!known) this.routes.push({ pattern, methods });
    });
  }

  /** The methods a path takes, or null for a path nobody serves. */
  methodsOf(path: string): string[] | null {
    const methods = new Set<string>();
    for (const route of this.routes)
      if (route.pattern.test(path)) for (const method of route.methods) methods.add(method);
    return methods.size === 0 ? null : [...methods].sort();
  }
}
