# syntax=docker/dockerfile:1
# Build:  docker build -t ent-backoffice .
# Run:    docker compose up   (docker-compose.yml beside this file, which says what comes first)

FROM rust:1.95-bookworm AS builder
RUN apt-get update \
    && apt-get install -y --no-install-recommends libpq-dev pkg-config \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /build
# Dependencies first: they change rarely and take most of the time.
COPY Cargo.toml Cargo.lock ./
RUN mkdir -p src tests/it \
    && echo 'fn main() {}' | tee src/main.rs tests/it/main.rs >/dev/null \
    && : >src/lib.rs \
    && cargo build --release --locked --bin ent-backoffice \
    && rm -rf src tests target/release/.fingerprint/ent-backoffice-*
COPY . .
RUN mkdir -p tests/it && touch tests/it/main.rs \
    && cargo build --release --locked --bin ent-backoffice \
    && strip target/release/ent-backoffice

# postgresql-client 15: `backup` and `restore` of a PostgreSQL that is no newer.
FROM debian:bookworm-slim
LABEL org.opencontainers.image.title="ent-backoffice" \
      org.opencontainers.image.description="Back office of the ENT-école: conventions, participations and perception titles" \
      org.opencontainers.image.licenses="AGPL-3.0-or-later"
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates libpq5 postgresql-client \
    && rm -rf /var/lib/apt/lists/* \
    && groupadd --gid 10001 ent \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /data --shell /usr/sbin/nologin ent \
    && install -d -o 10001 -g 10001 -m 0700 /data
COPY --from=builder /build/target/release/ent-backoffice /usr/local/bin/ent-backoffice
COPY config/ent-backoffice.toml /etc/ent-backoffice/ent-backoffice.toml
COPY src/access/passwords/common.LICENSE /usr/share/doc/ent-backoffice/zxcvbn.LICENSE

# A relative path of the configuration (./data) is relative to /, that is /data: the volume.
WORKDIR /
VOLUME ["/data"]
# Numeric, so that a cluster can prove that it is not root.
USER 10001:10001
# Memory freed after a large act goes back to the system at once.
ENV MIMALLOC_PURGE_DELAY=0
ENV ENT_CONFIG=/etc/ent-backoffice/ent-backoffice.toml \
    ENT__SERVER__LISTEN=0.0.0.0:8080
EXPOSE 8080
# No curl in the image: bash asks, and expects 200.
HEALTHCHECK --interval=15s --timeout=5s --start-period=20s --retries=3 \
    CMD ["bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/8080 && printf 'GET /health/ready HTTP/1.0\\r\\nHost: localhost\\r\\n\\r\\n' >&3 && head -n 1 <&3 | grep -q ' 200 '"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["/usr/local/bin/ent-backoffice"]
# On all interfaces a key is required: mount one and set ENT__ACCESS__SIGNING_KEY_FILES. A new base is made on demand only:
# the first time, `docker run … ent-backoffice migrate --create`.
CMD ["serve"]
