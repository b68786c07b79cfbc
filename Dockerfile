# syntax=docker/dockerfile:1
# One image for all three apps: the API by default, the worker and the commands by another CMD (docker-compose.yml).

ARG NODE_IMAGE=node:24-bookworm-slim

FROM ${NODE_IMAGE} AS build
WORKDIR /app
COPY package.json package-lock.json ./
# The embedded databases (optional dependencies) are for `npm start`; containers are given DATABASE_URL. The compiler's
# platform binaries are optional too, so they are taken here and left out of the next stage.
RUN npm ci --no-audit --no-fund
COPY .swcrc nest-cli.json tsconfig.json ./
COPY scripts scripts
COPY apps apps
COPY libs libs
RUN node scripts/build.mjs

FROM ${NODE_IMAGE} AS packages
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --omit=optional --no-audit --no-fund && npm cache clean --force

FROM ${NODE_IMAGE} AS final
LABEL org.opencontainers.image.title="haldir" \
      org.opencontainers.image.description="The open-source governance layer for AI agents" \
      org.opencontainers.image.licenses="MIT"
ENV NODE_ENV=production \
    HOST=0.0.0.0 \
    PORT=3000 \
    WORKER_PORT=3001 \
    HALDIR_HOME=/var/lib/haldir
WORKDIR /app
# A volume mounted here takes over this owner and mode.
RUN install -d -o node -g node -m 0700 /var/lib/haldir
COPY --from=packages /app/node_modules node_modules
COPY --from=build /app/dist dist
COPY package.json LICENSE ./
USER node
EXPOSE 3000 3001
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT}/readyz`).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
# The apps end cleanly on SIGTERM and reap no children, so they need no init in front of them.
CMD ["node", "--enable-source-maps", "dist/apps/api/src/main.js"]
