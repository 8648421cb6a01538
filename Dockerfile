# build -> check -> run: the last stage holds the binary, its libraries and the licences, and nothing else.
FROM debian:bookworm-slim AS build
WORKDIR /src
RUN apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends \
      gcc libc6-dev make pkg-config binutils libmicrohttpd-dev libcjson-dev libjpeg-dev libspng-dev libwebp-dev zlib1g-dev nettle-dev \
      libprotobuf-c-dev protobuf-c-compiler
COPY Makefile ./
COPY engine engine
COPY server server
COPY config config
ARG COMMIT=unknown
RUN make -j"$(nproc)" COMMIT="$COMMIT" build/dscd
# The root of the image: the binary without its debugging symbols, and every library that it loads, at its own path.
RUN mkdir -p /root-fs/usr/bin /root-fs/models \
 && strip -o /root-fs/usr/bin/dscd build/release/dscd \
 && ldd build/release/dscd | sed -n 's/^.*=> \(\/[^ ]*\) .*/\1/p; s/^[[:space:]]*\(\/[^ ]*\) .*/\1/p' | sort -u >/libraries \
 && while read -r library; do install -D -m 755 "$library" "/root-fs$library" && strip --strip-unneeded "/root-fs$library" || exit 1; done </libraries
COPY LICENSE THIRD_PARTY_NOTICES.md /root-fs/usr/share/doc/dscd/

FROM build AS check
RUN chroot /root-fs /usr/bin/dscd --version

FROM scratch AS run
LABEL org.opencontainers.image.title="dscd" \
      org.opencontainers.image.description="Depthwise-separable convolutional networks over HTTP, on a CPU" \
      org.opencontainers.image.licenses="Apache-2.0"
# From `check`, not from `build`: an image that cannot start is not made.
COPY --from=check /root-fs /
ENV DSCD_LISTEN=0.0.0.0:8080
USER 65532:65532
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=5s --retries=3 CMD ["/usr/bin/dscd", "healthcheck"]
ENTRYPOINT ["/usr/bin/dscd"]
CMD ["serve"]
