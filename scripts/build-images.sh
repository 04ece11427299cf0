#!/usr/bin/env bash
# Build the image of each service with podman, tagged with the release. Called by `make images`.
# SSL_CERT_FILE, where it is set, is the bundle of certificates that the build trusts; it stays out of the images.
set -euo pipefail
cd "$(dirname "$0")/.."
options=(--quiet)
if [[ ! -d /run/systemd/system ]]; then # in a container, say: no network and no cgroup manager of its own
  export CONTAINERS_CONF=$PWD/scripts/containers.conf
  options+=(--network=host --isolation=chroot)
fi
scripts/base-image.sh
if [[ -n ${SSL_CERT_FILE:-} ]]; then
  options+=(--volume "$SSL_CERT_FILE:$SSL_CERT_FILE:ro" --build-arg SSL_CERT_FILE)
fi
for folder in services/*/; do
  name=climbmate-$(basename "$folder")
  version=$(sed -n 's/^version = "\(.*\)"/\1/p' "$folder/pyproject.toml")
  podman build "${options[@]}" --file "$folder/Dockerfile" --tag "$name:$version" . >/dev/null
  podman image inspect --format "{{index .RepoTags 0}} {{.Size}} bytes" "$name:$version"
done
