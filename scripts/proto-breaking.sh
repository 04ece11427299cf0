#!/usr/bin/env bash
# Compare protos/ with the last release, or with the main branch before there is one. Called by `make proto-breaking`.
set -euo pipefail
cd "$(dirname "$0")/.."
base=$(git describe --tags --abbrev=0 2>/dev/null || true)
for branch in origin/main main; do
  [[ -n $base ]] || base=$(git rev-parse --quiet --verify "$branch" || true)
done
if [[ -z $base ]] || ! git cat-file -e "$base:protos" 2>/dev/null; then
  echo "nothing to compare protos/ with yet"
  exit 0
fi
before=$(mktemp -d)
trap 'rm -rf "$before"' EXIT
git archive "$base" buf.yaml protos | tar -x -C "$before"
.venv/bin/buf breaking --against "$before"
