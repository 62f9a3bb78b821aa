# Tollgate on a base image without a shell. docs/operate.md says how to run it.
FROM rust:1.95-bookworm AS build
WORKDIR /src
COPY Cargo.toml Cargo.lock ./
COPY crates crates
RUN --mount=type=cache,target=/usr/local/cargo/registry --mount=type=cache,target=/src/target \
    cargo build --release --locked --package tollgate-cli && cp target/release/tollgate /tollgate
RUN install -d -m 0700 /state

FROM gcr.io/distroless/cc-debian12:nonroot
COPY --from=build /tollgate /usr/local/bin/tollgate
COPY --from=build --chown=nonroot:nonroot /state /var/lib/tollgate
ENV TOLLGATE_CONFIG=/etc/tollgate/tollgate.toml \
    TOLLGATE_SERVER__LISTEN=0.0.0.0:8787 \
    TOLLGATE_SERVER__ADMIN_LISTEN=0.0.0.0:8788 \
    TOLLGATE_STORE__URL=sqlite:/var/lib/tollgate/tollgate.db
VOLUME /var/lib/tollgate
EXPOSE 8787 8788
USER nonroot
ENTRYPOINT ["/usr/local/bin/tollgate"]
CMD ["serve"]
