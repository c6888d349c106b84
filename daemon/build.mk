# SPDX-License-Identifier: MIT
# The planner as a library for the daemon and the tools.
LIBPLANNER := $(B)/libonsram-planner.a
PLANNER_OBJS := $(patsubst %,$(B)/daemon/%.o, planner planner-search planner-graph allocate)

$(LIBPLANNER): $(PLANNER_OBJS)
	@rm -f $@
	$(AR) rcs $@ $^

PLANNER_TESTS := $(addprefix $(B)/tests/unit/,test-planner test-allocate)
$(PLANNER_TESTS:=.o): CFLAGS += -Idaemon
$(PLANNER_TESTS): %: %.o $(LIBPLANNER) $(LIBPERF)
	$(CC) $(LDFLAGS) -o $@ $^ -lcmocka
UNIT_TESTS += $(PLANNER_TESTS)

$(B)/tests/unit/test-eager.o: CFLAGS += -Idaemon
$(B)/tests/unit/test-eager: %: %.o $(B)/daemon/eager.o $(LIBPERF)
	$(CC) $(LDFLAGS) -o $@ $^ -lcmocka
UNIT_TESTS += $(B)/tests/unit/test-eager
