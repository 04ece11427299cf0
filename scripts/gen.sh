#!/usr/bin/env bash
# Generate the stubs of protos/ with the pinned tools of the dev group into gen/python, or into $1. Called by `make gen`.
set -euo pipefail
cd "$(dirname "$0")/.."
export PATH="$PWD/.venv/bin:$PATH"
out=${1:-gen/python}
mapfile -t all < <(find protos -name '*.proto' | sort)
mapfile -t with_service < <(grep -lE '^service ' "${all[@]}")
python -c "import grpc_tools" # before anything is removed
rm -rf "$out/climbmate"
python -m grpc_tools.protoc -I protos --python_out="$out" --pyi_out="$out" "${all[@]}"
python -m grpc_tools.protoc -I protos --grpc_python_out="$out" --mypy_grpc_out=quiet:"$out" "${with_service[@]}"
touch "$out/climbmate/py.typed"
