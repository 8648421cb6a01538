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

PACKAGES := gcc make pkg-config libmicrohttpd-dev libcjson-dev libjpeg-dev libspng-dev libprotobuf-c-dev protobuf-c-compiler
TEST_PACKAGES := libcriterion-dev curl
LINT_PACKAGES := clang clang-format libclang-rt-14-dev binutils gawk

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
ENGINE_LIBS := -lprotobuf-c -lm
SERVER_LIBS := -lmicrohttpd -lcjson -ljpeg -lspng

ENGINE_SRC := $(wildcard engine/*.c engine/*/*.c)
SERVER_SRC := $(wildcard server/*.c server/*/*.c)
SERVER_ASM := $(wildcard server/*.S)
PROTO_OBJ := $(B)/gen/engine/onnx/onnx.pb-c.o
ENGINE_OBJ := $(ENGINE_SRC:%.c=$(B)/%.o) $(PROTO_OBJ)
SERVER_OBJ := $(SERVER_SRC:%.c=$(B)/%.o) $(SERVER_ASM:%.S=$(B)/%.o)
SERVER_LIB_OBJ := $(filter-out $(B)/server/main.o,$(SERVER_OBJ))
SUPPORT_OBJ := $(patsubst %.c,$(B)/%.o,$(wildcard tests/support/*.c))
UNIT_SRC := $(shell find tests/unit tests/kernels -name '*.c' 2>/dev/null)
UNIT_OBJ := $(UNIT_SRC:%.c=$(B)/%.o)
HTTP_OBJ := $(patsubst %.c,$(B)/%.o,$(wildcard tests/http/test_*.c))
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
$(B)/engine/kernels/%.o: KERNEL_FLAGS = -O3 -fno-lto
$(B)/engine/%_avx2.o: ISA_FLAGS = -mavx2 -mfma
$(B)/engine/%_avx512.o: ISA_FLAGS = -mavx512f -mavx512bw -mavx512dq -mavx512vl -mavx2 -mfma -mprefer-vector-width=512
$(B)/engine/image/%.o: KERNEL_FLAGS = -O3

$(B)/%.o: %.c | $(B)/gen/engine/onnx/onnx.pb-c.h
	@mkdir -p $(@D)
	@echo "  CC   $<"
	$(Q)$(CC) $(CFLAGS) $(KERNEL_FLAGS) $(ISA_FLAGS) $(EXTRA_FLAGS) -c -o $@ $<

$(B)/%.o: %.S
	@mkdir -p $(@D)
	@echo "  AS   $<"
	$(Q)$(CC) -I. -c -o $@ $<

$(B)/server/embedded.o: $(wildcard config/models/fashion/* config/models/fashion/1/*)
$(B)/server/%.o: EXTRA_FLAGS = -DDSCD_COMMIT='"$(COMMIT)"'

$(B)/gen/engine/onnx/onnx.pb-c.h $(B)/gen/engine/onnx/onnx.pb-c.c &: engine/onnx/onnx.proto
	@mkdir -p $(B)/gen/engine/onnx
	$(Q)protoc-c --proto_path=engine/onnx --c_out=$(B)/gen/engine/onnx onnx.proto

$(PROTO_OBJ): $(B)/gen/engine/onnx/onnx.pb-c.c
	$(Q)$(CC) $(filter-out $(WARN),$(CFLAGS)) -c -o $@ $<

-include $(shell find $(B) -name '*.d' 2>/dev/null)
