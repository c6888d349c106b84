# SPDX-License-Identifier: MIT
# The planner as a library for the daemon and the tools: no device, no netlink.
LIBPLANNER := $(B)/libonsram-planner.a
PLANNER_OBJS := $(patsubst %.c,$(B)/%.o,$(wildcard lib/planner/*.c))

$(LIBPLANNER): $(PLANNER_OBJS)
	$(call say,AR)
	$(Q)rm -f $@
	$(Q)$(AR) rcs $@ $^

PLANNER_TESTS := $(addprefix $(B)/tests/unit/,test-price test-planner test-paper test-allocate \
	test-carry-out test-worth)
$(PLANNER_TESTS): %: %.o $(LIBPLANNER) $(LIBPERF)
	$(call say,LD)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ -lcmocka
UNIT_TESTS += $(PLANNER_TESTS)
