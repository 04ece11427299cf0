#!/usr/bin/env bash
# Generate the stubs again, elsewhere, and fail where they differ from gen/python. Called by `make check-gen`.
set -euo pipefail
cd "$(dirname "$0")/.."
again=$(mktemp -d)
trap 'rm -rf "$again"' EXIT
scripts/gen.sh "$again"
if ! diff --recursive --exclude __pycache__ gen/python/climbmate "$again/climbmate"; then
  echo "gen/python is not what protos/ describes: run \`make gen\` and commit it" >&2
  exit 1
fi
