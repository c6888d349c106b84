# SPDX-License-Identifier: MIT
SUBMIT_COST := $(B)/submit-cost
PROGRAMS += $(SUBMIT_COST)

$(B)/tests/bench/submit-cost.o: CFLAGS += -Itools/lib
$(SUBMIT_COST): $(B)/tests/bench/submit-cost.o $(LIBONSRAM)
	$(call say,LD)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ -lprotobuf-c -lm
