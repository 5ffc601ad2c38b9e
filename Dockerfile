# Build: docker build -t rtmp-gateway .     How to run it: docs/deploy/docker.md

FROM node:22-alpine AS build
WORKDIR /build
COPY package.json package-lock.json ./
RUN npm ci
COPY tsconfig.json tsconfig.build.json ./
COPY src ./src
RUN npm run build && npm prune --omit=dev

FROM node:22-alpine
ENV NODE_ENV=production
WORKDIR /opt/rtmp-gateway
COPY --from=build /build/package.json ./
COPY --from=build /build/node_modules ./node_modules
COPY --from=build /build/dist ./dist
COPY LICENSE README.md ./

# The working directory: rtmp-gateway.yaml is read here, a development certificate kept in certs/.
WORKDIR /var/lib/rtmp-gateway
RUN mkdir certs && chown -R node:node .
VOLUME /var/lib/rtmp-gateway/certs
USER node

EXPOSE 1935 8080 8443
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s --retries=3 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:8080/healthz').then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["node", "/opt/rtmp-gateway/dist/main.js"]
