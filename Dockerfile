# The program alone, on Debian: docker build -t intaglio . && docker run --rm -v "$PWD:/work" intaglio inspect model.onnx
FROM debian:12-slim AS build
WORKDIR /src
COPY . .
RUN ./scripts/setup \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends dpkg-dev file \
 && ./scripts/deb --no-trial

FROM debian:12-slim
COPY --from=build /src/build/packages/deb/ /tmp/deb/
RUN apt-get update \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends /tmp/deb/intaglio_*.deb \
 && rm -rf /var/lib/apt/lists/* /tmp/deb
USER nobody
WORKDIR /work
ENTRYPOINT ["intaglio"]
CMD ["--help"]
