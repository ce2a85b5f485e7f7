# The server in an image of its binary, CA certificates and nothing else.
#
#   docker build -t ringdown .
#   docker run -p 127.0.0.1:8765:8765 -v ringdown:/data ringdown
#
# Its root credentials are made at the first start and are in the volume:
#   docker run --rm -v ringdown:/data ringdown env
#
# There is no HEALTHCHECK: the image has no shell and no client to run one.
# Orchestrators ask GET /-/healthy.

FROM golang:1.26-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG VERSION=
RUN CGO_ENABLED=0 go build -trimpath -ldflags "-s -w -X main.release=${VERSION}" -o /ringdown ./cmd/ringdown \
 && mkdir -p -m 0700 /image/data && mkdir -m 1777 /image/tmp

FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /ringdown /ringdown
# A named volume takes over the owner of the folder that it covers, so the
# server, which is not root, may write to it.
COPY --from=build --chown=65532:65532 /image/ /
USER 65532:65532
ENV RINGDOWN_DATA=/data RINGDOWN_LISTEN=0.0.0.0:8765
VOLUME /data
EXPOSE 8765
ENTRYPOINT ["/ringdown"]
CMD ["serve"]
