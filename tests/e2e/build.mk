# SPDX-License-Identifier: MIT
# Makes networks with pseudo-random weights, and their outputs by the host
RANDOMIZE := $(B)/tests/e2e/randomize

$(RANDOMIZE).o: CFLAGS += -I$(B)/gen -Itools/lib -Itests/unit
$(RANDOMIZE).o: | $(B)/gen/onnx.pb-c.h
$(RANDOMIZE): $(RANDOMIZE).o $(addprefix $(B)/tests/unit/,host-run.o model.o) $(EXEC_OBJS) $(LIBONSRAM)
	$(call say,LD)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ -lprotobuf-c -ldnnl -lm

built-all: $(RANDOMIZE)
