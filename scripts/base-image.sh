#!/usr/bin/env bash
# Have the base image of the Dockerfiles: the one that is here, else the registry's, else a stand-in of Debian's packages.
# Called by build-images.sh. The stand-in needs debootstrap and root; it has `python3`, of the same release, and no more.
set -euo pipefail
base=$(sed -n 's/^FROM \([^ ]*\) AS build$/\1/p' "$(dirname "$0")/../services/gateway/Dockerfile")
if podman image exists "$base" || podman pull --quiet "$base" 2>/dev/null; then exit; fi
mirror=$(sed -nE 's/^URIs: *([^ ]+).*/\1/p' /etc/apt/sources.list.d/debian.sources | head -n 1)
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
debootstrap --variant=minbase --include=ca-certificates,python3,python3-venv bookworm "$root" "$mirror" >/dev/null
rm -rf "$root"/var/cache/apt/* "$root"/var/lib/apt/lists/*
tar --create --directory "$root" . | podman import --quiet - "$base" >/dev/null
echo "$base made of Debian's packages"
