# SPDX-License-Identifier: MIT
# libonsram: ONNX import, lowering, device access. The schema comes with
# Debian's ONNX package; what protoc-c makes of it is never kept.

ONNX_PROTO := $(firstword $(shell dpkg -L libonnx-dev python3-onnx 2>/dev/null | \
	grep -E '/onnx(-ml)?\.proto$$'))

LIBONSRAM := $(B)/libonsram.a
LIBONSRAM_SRCS := $(wildcard tools/lib/*.c)
LIBONSRAM_OBJS := $(LIBONSRAM_SRCS:%.c=$(B)/%.o) $(B)/gen/onnx.pb-c.o

$(B)/gen/onnx.pb-c.c: $(ONNX_PROTO)
	$(if $(ONNX_PROTO),,$(error no onnx.proto: install libonnx-dev))
	@mkdir -p $(@D)
	$(call say,GEN)
	$(Q)cp $(ONNX_PROTO) $(@D)/onnx.proto
	$(Q)cd $(@D) && protoc-c --c_out=. onnx.proto

$(B)/gen/onnx.pb-c.h: $(B)/gen/onnx.pb-c.c ;

$(LIBONSRAM_OBJS): CFLAGS += -I$(B)/gen -Itools/lib
$(LIBONSRAM_SRCS:%.c=$(B)/%.o): | $(B)/gen/onnx.pb-c.h

$(LIBONSRAM): $(LIBONSRAM_OBJS)
	$(call say,AR)
	$(Q)rm -f $@
	$(Q)$(AR) rcs $@ $^
