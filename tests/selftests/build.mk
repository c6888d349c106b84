# SPDX-License-Identifier: MIT
# Tests of the driver, run in the guest; the harness is the kernel's own.
SELFTEST_NAMES := test-query test-ioctl-space test-memory test-bo test-bad-op test-bad-call test-values \
	test-sync test-graph test-residency test-reset test-retired test-isolation test-permission \
	test-sysfs test-netlink test-overwrite test-parts test-agent test-rules test-recovery
SELFTEST_PROGRAMS := $(addprefix $(B)/tests/selftests/,$(SELFTEST_NAMES))
SELFTEST_COMMON := $(B)/tests/selftests/client.o $(B)/tests/selftests/ops.o

$(SELFTEST_PROGRAMS:=.o): | $(KSRC)
# The harness compares values of whatever types a test gives it.
$(SELFTEST_PROGRAMS:=.o) $(SELFTEST_COMMON) $(addprefix $(B)/tests/selftests/,agent.o plan.o): CFLAGS += -Itools/lib -isystem $(KSELFTEST) \
	-Wno-sign-compare $(shell pkg-config --cflags libnl-genl-3.0)
$(addprefix $(B)/tests/selftests/,test-netlink test-overwrite test-parts test-agent test-rules): $(B)/tests/selftests/agent.o
$(addprefix $(B)/tests/selftests/,test-netlink test-overwrite test-parts): $(B)/tests/selftests/plan.o
$(SELFTEST_PROGRAMS): %: %.o $(SELFTEST_COMMON) $(B)/tools/lib/device.o
	$(call say,LD)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ -lm -lnl-genl-3 -lnl-3

SELFTESTS += $(SELFTEST_PROGRAMS)
# Last in the order of names: one takes the device away, one judges what all left in the log.
GUEST_FILES += $(foreach t,zy-module zz-kernel-log,tests/selftests/$(t)=/usr/lib/onsram/selftests/$(t))

# test-netlink, test-overwrite, test-parts, test-agent and test-rules are the policy agent themselves.
tap-kselftest tap-debug: NO_DAEMON = 1
