# dscd: the only build file. `make help` lists the targets.
#
# Variables: CC=gcc|clang, SAN=address,undefined|thread, V=1 (show commands). Every combination of compiler and
# sanitizer builds in a folder of its own, build/<variant>/; build/dscd is the plain one.

SHELL := /bin/bash
.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules

ifeq ($(origin CC),default)
CC := gcc
endif
comma := ,
VARIANT := $(if $(filter gcc,$(CC)),,$(notdir $(CC))-)$(if $(SAN),$(subst $(comma),-,$(SAN)),release)
B := build/$(VARIANT)
Q := $(if $(V),,@)

PACKAGES := gcc make pkg-config libmicrohttpd-dev libcjson-dev libjpeg-dev libspng-dev libwebp-dev zlib1g-dev nettle-dev libprotobuf-c-dev protobuf-c-compiler
TEST_PACKAGES := libcriterion-dev curl python3-pil
LINT_PACKAGES := clang clang-format libclang-rt-14-dev binutils

WARN := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wundef \
        -Wdouble-promotion -Wswitch-enum -Werror
COMMIT := $(shell git rev-parse --short=12 HEAD 2>/dev/null || echo unknown)
CFLAGS := -std=c11 -O2 -g $(WARN) -fvisibility=hidden -fno-strict-aliasing -fno-math-errno -ffp-contract=off \
          -fstack-protector-strong -D_FORTIFY_SOURCE=2 -fPIE -pthread -I. -I$(B)/gen -MMD -MP
LDFLAGS := -pie -pthread -Wl,-z,relro,-z,now -Wl,--as-needed
ifneq ($(SAN),)
CFLAGS := $(filter-out -D_FORTIFY_SOURCE=2,$(CFLAGS)) -fsanitize=$(SAN) -fno-omit-frame-pointer
LDFLAGS += -fsanitize=$(SAN)
endif
ifeq ($(SAN)$(findstring gcc,$(CC)),threadgcc)
CFLAGS += -Wno-tsan # gcc: the pool's fence is not modelled; every access around it is an atomic one
endif
ENGINE_LIBS := -lprotobuf-c -lm
SERVER_LIBS := -lmicrohttpd -lcjson -ljpeg -lspng -lwebpdemux -lwebp -lz -lnettle

ENGINE_SRC := $(wildcard engine/*.c engine/*/*.c engine/*/*/*.c)
SERVER_SRC := $(wildcard server/*.c server/*/*.c)
SERVER_ASM := $(wildcard server/*/*.S)
PROTO_OBJ := $(B)/gen/engine/onnx/onnx.pb-c.o
ENGINE_OBJ := $(ENGINE_SRC:%.c=$(B)/%.o) $(PROTO_OBJ)
SERVER_OBJ := $(SERVER_SRC:%.c=$(B)/%.o) $(SERVER_ASM:%.S=$(B)/%.o)
SERVER_LIB_OBJ := $(filter-out $(B)/server/main.o,$(SERVER_OBJ))
SUPPORT_OBJ := $(patsubst %.c,$(B)/%.o,$(wildcard tests/support/*.c))
UNIT_SRC := $(shell find tests/unit tests/kernels -name '*.c' 2>/dev/null)
UNIT_OBJ := $(UNIT_SRC:%.c=$(B)/%.o)
WILD_OBJ := $(patsubst %.c,$(B)/%.o,$(wildcard tests/fuzz/wild/*.c))
HTTP_OBJ := $(patsubst %.c,$(B)/%.o,$(wildcard tests/http/*.c))
GOLDEN_OBJ := $(patsubst %.c,$(B)/%.o,$(wildcard tests/golden/*.c))
GEN_OBJ := $(patsubst %.c,$(B)/%.o,$(wildcard tests/models/*.c))
BENCHES := $(patsubst tests/bench/%.c,$(B)/tests/bench/%,$(wildcard tests/bench/*.c))

# ---- building

all: build/dscd ## Build build/dscd

build/dscd: $(B)/dscd
	$(Q)ln -sfn $(VARIANT)/dscd build/dscd

$(B)/dscd: $(SERVER_OBJ) $(B)/libdsc.a
	@echo "  LINK $@"
	$(Q)$(CC) $(LDFLAGS) -o $@ $(SERVER_OBJ) $(B)/libdsc.a $(SERVER_LIBS) $(ENGINE_LIBS)

$(B)/libdsc.a: $(ENGINE_OBJ)
	@echo "  AR   $@"
	$(Q)rm -f $@ && ar rcs $@ $^

# The file's suffix chooses the instruction set; nothing else gets ISA flags.
$(B)/engine/kernels/%.o: KERNEL_FLAGS = $(if $(SAN),-O1,-O3) -fno-lto
# The fuzzer learns nothing from loops over elements, and counting in unrolled ones takes long to compile.
$(B)/engine/kernels/%.o: CFLAGS := $(subst fuzzer-no-link$(comma),,$(CFLAGS))
# gcc would park addresses in vector registers, and fetch them back through the ports of the multiplications: up to 6 %
# of a matrix multiplication of few inputs.
NO_PARKING := $(if $(findstring gcc,$(CC)),-mtune-ctrl=^inter_unit_moves_from_vec)
$(B)/engine/%_avx2.o: ISA_FLAGS = -mavx2 -mfma
$(B)/engine/%_avx512.o: ISA_FLAGS = -mavx512f -mavx512bw -mavx512dq -mavx512vl -mavx2 -mfma -mprefer-vector-width=512
$(B)/engine/kernels/gemm_avx512.o $(B)/engine/kernels/gemm_fip_avx512.o: override EXTRA_FLAGS += $(NO_PARKING)
$(B)/engine/%_amx.o: ISA_FLAGS = -mamx-tile -mamx-bf16 -mavx512f -mavx512bw -mavx512dq -mavx512vl -mavx2 -mfma -mprefer-vector-width=512
$(B)/engine/image/%.o: KERNEL_FLAGS = -O3

$(B)/%.o: %.c | $(B)/gen/engine/onnx/onnx.pb-c.h
	@mkdir -p $(@D)
	@echo "  CC   $<"
	$(Q)$(CC) $(CFLAGS) $(KERNEL_FLAGS) $(ISA_FLAGS) $(EXTRA_FLAGS) -c -o $@ $<

$(B)/%.o: %.S
	@mkdir -p $(@D)
	@echo "  AS   $<"
	$(Q)$(CC) -I. -c -o $@ $<

# Rebuilt when the commit changes.
$(B)/commit: FORCE
	@mkdir -p $(@D)
	@echo '$(COMMIT)' | cmp -s - $@ || echo '$(COMMIT)' >$@
FORCE:
$(B)/server/base/build_info.o: $(B)/commit
$(B)/server/model/embedded.o: $(wildcard config/models/fashion/* config/models/fashion/1/*)
$(B)/server/routes/openapi_text.o: server/routes/openapi.json
$(B)/server/base/build_info.o: CFLAGS += -DDSCD_COMMIT='"$(COMMIT)"'

$(B)/gen/engine/onnx/onnx.pb-c.h $(B)/gen/engine/onnx/onnx.pb-c.c &: engine/onnx/onnx.proto
	@mkdir -p $(B)/gen/engine/onnx
	$(Q)protoc-c --proto_path=engine/onnx --c_out=$(B)/gen/engine/onnx onnx.proto

$(PROTO_OBJ): $(B)/gen/engine/onnx/onnx.pb-c.c
	$(Q)$(CC) $(filter-out $(WARN),$(CFLAGS)) -c -o $@ $<

-include $(shell find $(B) -name '*.d' 2>/dev/null)

# ---- packages

# Installs what is missing when root or sudo allows, else prints the one line to type.
define need_packages
missing=$$(for p in $(1); do dpkg-query -W -f='$${Status}' $$p 2>/dev/null | grep -q 'ok installed' || echo $$p; done | tr '\n' ' '); \
if [ -n "$$missing" ]; then \
  line="apt-get install -y --no-install-recommends $$missing"; \
  if ! command -v apt-get >/dev/null; then echo "missing, please install: $$missing" >&2; exit 1; \
  elif [ "$$(id -u)" = 0 ]; then sudo=; \
  elif sudo -n true 2>/dev/null; then sudo="sudo"; \
  else echo "missing packages; type:  sudo $$line" >&2; exit 1; fi; \
  echo "installing: $$missing"; \
  { $$sudo apt-get update -q && DEBIAN_FRONTEND=noninteractive $$sudo $$line; } >build/packages.log 2>&1 \
    || { tail -n 5 build/packages.log >&2; exit 1; }; \
fi
endef

.PHONY: all deps deps-test deps-lint
deps:
	@mkdir -p build
	@$(call need_packages,$(PACKAGES))
deps-test: deps
	@$(call need_packages,$(TEST_PACKAGES))
deps-lint: deps-test
	@$(call need_packages,$(LINT_PACKAGES))

# ---- running

.PHONY: run install
run: deps ## Install what is missing, build, and serve the default model
	@$(MAKE) --no-print-directory build/dscd
	@echo
	@echo "  try it:  curl --data-binary @config/models/fashion/samples/ankle-boot.png http://127.0.0.1:8080/infer"
	@echo
	@exec build/dscd serve

PREFIX ?= /usr/local
install: deps ## Install the binary under PREFIX (/usr/local)
	@$(MAKE) --no-print-directory build/dscd
	install -D -m 755 $(B)/dscd $(DESTDIR)$(PREFIX)/bin/dscd

# ---- tests

TEST_LIBS := -lcriterion
UNIT_TESTS := $(B)/tests/unit_tests
HTTP_TESTS := $(if $(HTTP_OBJ),$(B)/tests/http_tests)
GOLDEN_TESTS := $(B)/tests/golden_tests
GEN_MODELS := $(B)/tests/models/gen_models
CONFORMANCE := $(B)/tests/conformance/conformance

$(B)/tests/%.o: CFLAGS += -Wno-missing-prototypes -Wno-missing-variable-declarations

$(UNIT_TESTS): $(UNIT_OBJ) $(WILD_OBJ) $(SUPPORT_OBJ) $(SERVER_LIB_OBJ) $(B)/libdsc.a
	@echo "  LINK $@"
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(TEST_LIBS) $(SERVER_LIBS) $(ENGINE_LIBS)

$(B)/tests/http_tests: $(HTTP_OBJ) $(SUPPORT_OBJ)
	@echo "  LINK $@"
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(TEST_LIBS) -lcjson -lz -lm

$(GOLDEN_TESTS): $(GOLDEN_OBJ) $(B)/tests/support/test_data.o $(B)/libdsc.a
	@echo "  LINK $@"
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(TEST_LIBS) $(ENGINE_LIBS)

$(GEN_MODELS): $(GEN_OBJ) $(B)/tests/support/onnx_writer.o
	@mkdir -p $(@D)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ -lm

# The engine once more, with a call at every basic block: what imports and plans, without kernels and pictures.
STEPS := $(B)/tests/steps/steps
STEPS_OBJ := $(patsubst %.c,$(B)/steps/%.o,$(filter-out engine/kernels/% engine/image/% engine/verify/%,$(ENGINE_SRC)))
$(B)/steps/%.o: %.c | $(B)/gen/engine/onnx/onnx.pb-c.h
	@mkdir -p $(@D)
	$(Q)$(CC) $(filter-out -O2 -D_FORTIFY_SOURCE=2,$(CFLAGS)) -O1 -fsanitize-coverage=trace-pc -c -o $@ $<
$(STEPS): $(B)/tests/steps/steps.o $(B)/tests/support/onnx_writer.o $(STEPS_OBJ) $(B)/libdsc.a
	@echo "  LINK $@"
	$(Q)$(CC) $(LDFLAGS) -Wl,--wrap=memset,--wrap=memcpy -o $@ $^ $(ENGINE_LIBS)

$(CONFORMANCE): $(patsubst %.c,$(B)/%.o,$(wildcard tests/conformance/*.c)) $(B)/tests/unit/engine/ops/operator_row.o $(B)/libdsc.a
	@mkdir -p $(@D)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(ENGINE_LIBS)

$(filter-out %/bench_image,$(BENCHES)): $(B)/tests/bench/%: $(B)/tests/bench/%.o $(SUPPORT_OBJ) $(B)/libdsc.a
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(ENGINE_LIBS)

$(B)/tests/bench/bench_image: $(B)/tests/bench/bench_image.o $(B)/tests/unit/server/image/jpeg_recipe.o $(SERVER_LIB_OBJ) $(B)/libdsc.a
	@mkdir -p $(@D)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(SERVER_LIBS) $(ENGINE_LIBS)

.PHONY: test test-build conformance docs-operators bench-models
test: deps-test ## Build and run the tests (about two minutes); closes with "N passed, N failed"
	@$(MAKE) --no-print-directory test-build
	@DSCD=$(B)/dscd GEN_MODELS=$(GEN_MODELS) tests/run.sh $(UNIT_TESTS) $(STEPS) $(GOLDEN_TESTS) $(HTTP_TESTS) '$(GEN_MODELS) --check-writer' tests/docs.sh

test-build: build/dscd $(STEPS) $(UNIT_TESTS) $(GOLDEN_TESTS) $(HTTP_TESTS) $(GEN_MODELS)

CASES ?= ../shared/onnx-node
conformance: deps ## Run the ONNX backend test cases in folder CASES
	@$(MAKE) --no-print-directory $(CONFORMANCE)
	@$(CONFORMANCE) $(CASES)

docs-operators: deps ## Write the table of docs/operators.md, with the cases in folder CASES that each operator passes
	@$(MAKE) --no-print-directory -s $(CONFORMANCE)
	@tests/conformance/docs.sh $(CONFORMANCE) $(CASES)

MODELS ?= mobilenet_v1 mobilenet_v2 mobilenet_v3_large mobilenet_v3_small mnasnet1_0 efficientnet_b0 xception
MODEL_FILES := $(MODELS:%=build/models/%.onnx)
bench-models: deps ## Write the seven full-size networks to build/models
	@$(MAKE) --no-print-directory -s $(MODEL_FILES)
GEN_SOURCES := $(wildcard tests/models/*) $(wildcard tests/support/onnx_writer.*)
build/models/%.onnx: $(GEN_SOURCES) | $(GEN_MODELS)
	@mkdir -p $(@D)
	@$(GEN_MODELS) $(if $(findstring folded/,$*),--folded) $(@D) $(notdir $*)

fuzz: deps-lint ## Run every fuzz target (or TARGETS) for FUZZ_SECONDS (60) each
	@$(MAKE) --no-print-directory CC=clang SAN=fuzzer-no-link,address,undefined fuzz-run

FUZZ_SECONDS ?= 60
FUZZERS := $(patsubst tests/fuzz/%.c,$(B)/tests/fuzz/%,$(wildcard tests/fuzz/fuzz_*.c))
$(FUZZERS): $(B)/tests/fuzz/%: $(B)/tests/fuzz/%.o $(WILD_OBJ) $(SUPPORT_OBJ) $(SERVER_LIB_OBJ) $(B)/libdsc.a
	$(Q)$(CC) $(LDFLAGS) -fsanitize=fuzzer -o $@ $^ $(SERVER_LIBS) $(ENGINE_LIBS)
.PHONY: fuzz fuzz-build fuzz-run test-tsan test-container image load accuracy
$(B)/tests/fuzz/seeds: $(B)/tests/fuzz/seeds.o $(WILD_OBJ) $(SUPPORT_OBJ) $(SERVER_LIB_OBJ) $(B)/libdsc.a
	$(Q)$(CC) $(LDFLAGS) -fsanitize=address,undefined -o $@ $^ $(SERVER_LIBS) $(ENGINE_LIBS)
fuzz-build: $(FUZZERS) $(B)/tests/fuzz/seeds
fuzz-run: fuzz-build
	@tests/fuzz/fuzz.sh $(B)/tests/fuzz $(FUZZ_SECONDS) $(TARGETS)

test-tsan: deps-test ## Load a daemon built with ThreadSanitizer, and stop it under load
	@$(MAKE) --no-print-directory SAN=thread build/thread/dscd
	@bash tests/http/tsan_load.sh build/thread/dscd

# ---- containers and load

ENGINE ?= $(shell docker info >/dev/null 2>&1 && echo docker || command -v podman || echo docker)
image: ## Build the container image "dscd" with docker or podman
	$(ENGINE) build $(if $(findstring podman,$(ENGINE)),--format docker) $(BUILD_ARGS) --build-arg COMMIT=$(COMMIT) -t dscd .
test-container: ## Build the image, run it read-only and without capabilities, and check it
	@docker/test.sh

load: deps-test ## Load the daemon with wrk and print a table
	@$(call need_packages,wrk)
	@$(MAKE) --no-print-directory build/dscd
	@tests/load/load.sh build/dscd $(SECONDS_EACH)

# Variables: MODELS="mobilenet_v1 ..." for some of the networks only, and those that the scripts' heads name.
PEERS := $(B)/tests/bench/peers
PEER_FILES := $(PEERS)/rounds $(PEERS)/peer_dsc $(PEERS)/hide_avx512.so
.PHONY: bench bench-build bench-peers bench-hog bench-docs bench-peers-build
bench: bench-build ## Time the kernels over real layers, and the seven networks
	@tests/bench/bench.sh build/dscd $(B)/tests/bench $(MODEL_FILES)
bench-build: bench-models
	@$(MAKE) --no-print-directory -s build/dscd $(BENCHES)
bench-peers: bench-peers-build ## Time them beside ONNX Runtime, oneDNN and OpenCV, in turn (ISA=avx2: without AVX-512)
	@tests/bench/peers/peers.sh $(PEERS) $(CURDIR)/build/peers/node_modules $(MODEL_FILES)
bench-hog: bench-peers-build ## Time all of them with two threads beside a process that holds a core
	@HOG=1 tests/bench/peers/peers.sh $(PEERS) $(CURDIR)/build/peers/node_modules $(MODEL_FILES)

bench-docs: ## Put the tables and the chart of bench-peers and bench-hog into docs/
	@tests/bench/peers/docs.sh

# Rivals that cannot be had are left out.
bench-peers-build: bench-models
	@$(MAKE) --no-print-directory -s $(PEER_FILES) $(MODEL_FILES:build/models/%=build/models/folded/%)
	@[ -d build/peers/node_modules/onnxruntime-node ] || npm install --prefix build/peers --ignore-scripts --no-audit --no-fund --silent onnxruntime-node@1.30.0 || true
	@{ $(call need_packages,libdnnl-dev); } && $(MAKE) --no-print-directory -s $(PEERS)/peer_onednn || true
	@{ $(call need_packages,g++ libopencv-dnn-dev); } && $(MAKE) --no-print-directory -s $(PEERS)/peer_opencv || true

$(PEERS)/rounds: $(PEERS)/rounds.o
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ -lm
$(PEERS)/peer_dsc: $(PEERS)/peer_dsc.o $(B)/libdsc.a
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ $(ENGINE_LIBS)
$(PEERS)/peer_onednn: $(PEERS)/peer_onednn.o $(B)/libdsc.a
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ -ldnnl $(ENGINE_LIBS)
$(PEERS)/peer_opencv: tests/bench/peers/peer_opencv.cpp tests/bench/peers/peer.h
	@echo "  CXX  $<"
	$(Q)g++ -std=c++17 -O2 -Wall -Wextra -Werror -I. -isystem /usr/include/opencv4 -o $@ $< -lopencv_dnn -lopencv_core
$(PEERS)/hide_avx512.so: tests/bench/peers/hide_avx512.c
	@mkdir -p $(@D)
	$(Q)$(CC) -std=c11 -O2 $(WARN) -shared -fPIC -Wl,-z,initfirst -o $@ $<

ACCURACY := $(B)/tests/accuracy/accuracy
$(ACCURACY): $(B)/tests/accuracy/accuracy.o $(B)/tests/support/dscd_process.o $(B)/tests/support/http_client.o
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ -lz -lm
accuracy: deps ## Post the 10,000 test images of Fashion-MNIST to the daemon; fails below 93 %
	@$(call need_packages,dataset-fashion-mnist zlib1g-dev)
	@$(MAKE) --no-print-directory build/dscd $(ACCURACY)
	@$(ACCURACY)

# ---- exporters

EXPORTER_PACKAGES := python3-torch python3-torchvision
.PHONY: exporters exporters-short
# Skipped where the packages cannot be had: about 140 MB to download and 600 MB on the disk.
define run_exporters
@mkdir -p build/exporters
@( $(call need_packages,$(EXPORTER_PACKAGES)) ) || \
  { echo "exporters: skipped, $(EXPORTER_PACKAGES) cannot be installed"; echo "0 passed, 0 failed"; exit 0; }; \
$(MAKE) --no-print-directory build/dscd && set -o pipefail && \
/usr/bin/python3 tests/exporters/exporters.py build/dscd build/exporters/files $(1) | tee build/exporters/$@.log
endef
exporters: deps ## Hold networks that torch exports in 432 ways against torch's answers (half an hour; ONLY=text: some of them)
	$(call run_exporters,--only "$(ONLY)")
exporters-short: deps ## A dozen of them, on every instruction set
	$(call run_exporters,--short)

# ---- lint

SOURCES := $(shell git ls-files '*.c' '*.h' '*.cpp' 2>/dev/null)

.PHONY: lint openapi check format help clean
lint: deps-lint ## Check format, include ranks, sizes, kernel symbols and spills
	@$(MAKE) --no-print-directory all
	@clang-format --dry-run -Werror $(SOURCES)
	@awk -f tests/lint/includes.awk $(SOURCES)
	@awk -f tests/lint/sizes.awk $(SOURCES)
	@for script in tests/lint/*.sh; do bash $$script $(B) || exit 1; done
	@echo "lint: fine"

REDOCLY := build/redocly/node_modules/.bin/redocly
openapi: ## Lint server/routes/openapi.json with npm's @redocly/cli (skipped without npm)
	@if ! command -v npm >/dev/null; then echo "openapi: skipped, there is no npm"; exit 0; fi; \
	[ -x $(REDOCLY) ] || npm install --prefix build/redocly --ignore-scripts --no-audit --no-fund --silent @redocly/cli@2 || exit 1; \
	$(REDOCLY) lint server/routes/openapi.json

check: ## Everything that a change must pass: all compilers, sanitizers, lint
	@.ci/run

format: ## Format all sources
	@clang-format -i $(SOURCES)

clean: ## Remove everything that was built
	rm -rf build

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z][a-z-]*:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
