#!/usr/bin/env bash
# Build the image of each service with podman, tagged with the release. Called by `make images`.
# SHARED is the folder with tools/base-image.sh, ../shared unless it is set; without that tool the base image is pulled.
# SSL_CERT_FILE, where it is set, is the bundle of certificates that the build trusts; it stays out of the images.
set -euo pipefail
cd "$(dirname "$0")/.."
options=(--quiet)
stand_in=${SHARED:-../shared}/tools/base-image.sh
if [[ -x $stand_in ]]; then # no registry to pull the base image from: make one from Debian's packages
  "$stand_in"
  export CONTAINERS_CONF=$PWD/scripts/containers.conf
  options+=(--network=host --isolation=chroot)
fi
if [[ -n ${SSL_CERT_FILE:-} ]]; then
  options+=(--volume "$SSL_CERT_FILE:$SSL_CERT_FILE:ro" --build-arg SSL_CERT_FILE)
fi
for folder in services/*/; do
  name=climbmate-$(basename "$folder")
  version=$(sed -n 's/^version = "\(.*\)"/\1/p' "$folder/pyproject.toml")
  podman build "${options[@]}" --file "$folder/Dockerfile" --tag "$name:$version" . >/dev/null
  podman image inspect --format "{{index .RepoTags 0}} {{.Size}} bytes" "$name:$version"
done
