# SPDX-License-Identifier: MIT
# The performance model as a library for the daemon and the tools; the device
# compiles the same files inside QEMU.
LIBPERF := $(B)/libonsram-perf.a
PERF_OBJS := $(patsubst %.c,$(B)/%.o,$(wildcard lib/perf/*.c))

$(LIBPERF): $(PERF_OBJS)
	$(call say,AR)
	$(Q)rm -f $@
	$(Q)$(AR) rcs $@ $^

PERF_TESTS := $(addprefix $(B)/tests/unit/,test-perf test-fluid)
$(PERF_TESTS): %: %.o $(LIBPERF)
	$(call say,LD)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ -lcmocka
UNIT_TESTS += $(PERF_TESTS)
