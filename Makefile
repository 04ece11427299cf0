# `make` lists the targets. Linux, Python 3.11, make and git are enough; all else comes from the lock into .tools and
# .venv of this clone. Behind a proxy with its own certificates, set SSL_CERT_FILE.

UV_VERSION := 0.13.8
PYTHON ?= $(shell command -v python3.11 || command -v python3)
PORT ?= 8000
PHOTO ?= assets/sample-wall.jpg
SECONDS ?= 180
PROFILE ?= small
CLIP_MODEL ?= ViT-B-32
PRETRAINED ?= laion2b_s34b_b79k
# The folder with data/ (labelled photos), field/ (reported inputs) and tools/ (score.py): no part of the repository.
SHARED ?= ../shared

UV := .tools/uv/bin/uv
READY := .venv/.ready
RUN := .venv/bin/
TRAIN := training/.venv/bin/python
TRAINING := training/.venv/.ready
MEMBERS := pyproject.toml uv.lock $(wildcard gen/python/pyproject.toml libs/*/pyproject.toml services/*/pyproject.toml client/pyproject.toml)

export XDG_CACHE_HOME := $(CURDIR)/.tools/cache
export UV_PYTHON_DOWNLOADS := never
export SHARED
ifdef SSL_CERT_FILE
export PIP_CERT ?= $(SSL_CERT_FILE)
endif

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

##@ Use it

.PHONY: demo
demo: $(READY) ## Analyze the sample photo, or PHOTO=..., and write out/analysis.json and out/overlay.png
	$(RUN)climbmate analyze "$(PHOTO)" --save out/analysis.json --overlay out/overlay.png

.PHONY: up
up: $(READY) ## Run the three services on PORT (8000) until Ctrl-C
	@exec $(RUN)climbmate up --port $(PORT)

##@ Work on it

.PHONY: setup
setup: $(READY) ## Make the environment from the lock

.PHONY: test
test: $(READY) ## Run all tests but those of the containers and of the page in a browser
	$(RUN)pytest --ignore tests/containers

.PHONY: test-browser
test-browser: $(READY) ## Run the page in Chromium (apt-get install chromium); pictures in out/browser
	$(RUN)pytest tests/browser

.PHONY: test-training
test-training: $(TRAINING) ## Run the tests of the training, which need torch
	$(TRAIN) -m pytest training -W ignore::DeprecationWarning -W ignore::FutureWarning -W ignore::UserWarning

.PHONY: lint
lint: $(READY) proto-lint proto-breaking ## Check format and style of Python, protos and Dockerfiles
	$(RUN)ruff format --check --quiet
	$(RUN)ruff check --quiet
	$(RUN)hadolint services/*/Dockerfile

.PHONY: types
types: $(READY) ## Check types (mypy --strict)
	$(RUN)mypy libs services client bench scripts training

.PHONY: layers
layers: $(READY) ## Check that imports obey the layers
	$(RUN)lint-imports

.PHONY: format
format: $(READY) ## Format Python
	$(RUN)ruff check --fix --quiet
	$(RUN)ruff format --quiet

.PHONY: gen
gen: $(READY) ## Generate the stubs from protos/ and the tables of settings in docs/
	scripts/gen.sh
	$(RUN)python scripts/settings_tables.py

.PHONY: check-gen
check-gen: $(READY) ## Fail where generated files differ from what they are generated from
	scripts/check-gen.sh
	$(RUN)python scripts/settings_tables.py --check

.PHONY: proto-lint
proto-lint: $(READY) ## Check the style of the protos
	$(RUN)buf lint

.PHONY: proto-breaking
proto-breaking: $(READY) ## Fail where the protos break callers of the last release
	scripts/proto-breaking.sh

##@ Ship it

.PHONY: manifests
manifests: $(READY) ## Render and validate compose.yaml and the Kubernetes manifests
	$(RUN)pytest --quiet tests/contract/test_manifests.py tests/contract/test_compose.py

.PHONY: images
images: ## Build the images of the services (needs podman)
	scripts/build-images.sh

.PHONY: test-containers
test-containers: $(READY) images ## Run the images within their memory limits (needs podman)
	$(RUN)pytest tests/containers

.PHONY: ci
ci: ## Run everything that must pass before a change is merged
	.ci/run

.PHONY: export-clip
export-clip: ## Turn open_clip's CLIP_MODEL, weights PRETRAINED (hub tag, file, random), into models/
	training/.venv/bin/python -m training.colorizer.export_clip "$(CLIP_MODEL)" "$(PRETRAINED)"

##@ Measure it

.PHONY: bench
bench: $(READY) ## Measure time and memory for one 12-megapixel photo after the other
	$(RUN)python -m bench.http_photo

.PHONY: bench-gateway
bench-gateway: $(READY) ## Measure what the gateway itself costs, between services that answer at once
	$(RUN)python -m bench.gateway_overhead

.PHONY: bench-http-servers
bench-http-servers: $(READY) ## Measure HTTP servers beside each other: what each costs, and what each bounds
	$(UV) run --frozen --no-sync --with httptools --with hypercorn --with granian python -m bench.http_servers

.PHONY: fuzz-http
fuzz-http: $(READY) ## Open 100,000 hostile connections, and fail on any untyped answer, hang or growth
	$(RUN)python -m bench.fuzz_http

.PHONY: bench-page
bench-page: $(READY) ## Measure how long people wait at the page, in Chromium
	$(RUN)python -m bench.page

.PHONY: score
score: $(READY) ## Score holds and colors on the labelled photos of SHARED (../shared)
	$(RUN)python -m bench.score --shared "$(SHARED)"

.PHONY: quality
quality: $(READY) ## Score the detector at every size, boxes and outlines, on labelled and rendered walls
	$(RUN)python -m bench.detector_quality

.PHONY: field
field: $(READY) ## Try all that broke something in the field, at the memory limits (needs root and SHARED)
	$(RUN)python -m bench.field --shared "$(SHARED)"

.PHONY: flood
flood: $(READY) ## Flood the services at their limits with all that is hostile for SECONDS (180; needs root)
	$(RUN)python -m bench.flood --seconds $(SECONDS)

.PHONY: soak
soak: $(READY) ## Send 20,000 photos with a toy network, and fail where a service's memory grows
	$(RUN)python -m bench.soak

.PHONY: refused
refused: $(READY) ## Send 20,000 of each kind of refused request, and fail where the gateway grows
	$(RUN)python -m bench.refused

.PHONY: throughput
throughput: $(READY) ## Measure photos per second and memory beside a good server of one process
	$(RUN)python -m bench.throughput

.PHONY: memory
memory: $(READY) ## Print the first version's memory, step by step, beside ours
	$(RUN)python -m bench.memory_steps

.PHONY: pressure
pressure: $(READY) ## Measure what the steps under memory pressure are worth (needs root)
	$(RUN)python -m bench.pressure

.PHONY: floors
floors: $(READY) ## Measure what the services hold at rest, on this processor and on older ones (needs root)
	$(RUN)python -m bench.floors

.PHONY: limits
limits: $(READY) ## Find the smallest memory limits of PROFILE (small), and write them down (needs root)
	$(RUN)climbmate limits --profile $(PROFILE) --write

.PHONY: fuzz-photos
fuzz-photos: $(READY) ## Decode 200,000 photos that were tampered with, and fail where one takes what was not predicted
	$(RUN)python -m bench.fuzz_photos

.PHONY: decode-cost
decode-cost: $(READY) ## Compare the predicted with the measured memory of decoding every kind of photo
	$(RUN)python -m bench.decode_cost

##@ About

.PHONY: help
help: ## List the targets
	@awk -f scripts/list-targets.awk $(MAKEFILE_LIST)

.PHONY: clean
clean: ## Remove what was built and installed here
	rm -rf .venv .tools out build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
	find . -name __pycache__ -type d -prune -not -path './training/.venv/*' -exec rm -rf {} +

$(UV):
	$(PYTHON) -m venv .tools/uv
	.tools/uv/bin/pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)

$(TRAINING): training/requirements.txt
	$(PYTHON) -m venv training/.venv
	$(TRAIN) -m pip install --quiet --disable-pip-version-check -r training/requirements.txt
	$(TRAIN) -m pip install --quiet --disable-pip-version-check --no-deps ultralytics==8.4.190 ultralytics-thop==2.2.3
	$(TRAIN) -m pip install --quiet --disable-pip-version-check --no-deps -e libs/servicekit -e libs/visionkit \
		-e services/colorizer -e services/detector
	@touch $@

$(READY): $(UV) $(MEMBERS)
	$(UV) sync --frozen --quiet --all-packages --all-extras --python $(PYTHON)
	@touch $@
