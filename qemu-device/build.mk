# SPDX-License-Identifier: GPL-2.0-or-later
# The performance model as a library for the daemon and the tools; the device
# compiles the same files inside QEMU.
LIBPERF := $(B)/libonsram-perf.a
PERF_OBJS := $(patsubst %,$(B)/qemu-device/hw/misc/onsram/%.o, \
	perf perf-model perf-fluid perf-bound)

$(LIBPERF): $(PERF_OBJS)
	rm -f $@
	$(AR) rcs $@ $^

PERF_TESTS := $(addprefix $(B)/tests/unit/,test-perf test-fluid)
$(PERF_TESTS): %: %.o $(LIBPERF)
	$(CC) $(LDFLAGS) -o $@ $^ -lcmocka
UNIT_TESTS += $(PERF_TESTS)

# The device's arithmetic, for tests on the host
EXEC_OBJS := $(patsubst %.c,$(B)/%.o,$(wildcard qemu-device/hw/misc/onsram/exec*.c))
