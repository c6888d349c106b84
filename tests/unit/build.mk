# SPDX-License-Identifier: MIT
# Unit tests: cmocka programs that need neither device nor guest.

EXEC_OBJS := $(patsubst %.c,$(B)/%.o,$(wildcard qemu-device/hw/misc/onsram/exec*.c))
EXEC_TESTS := $(addprefix $(B)/tests/unit/,test-exec test-exec-check test-exec-math)
$(EXEC_TESTS): %: %.o $(B)/tests/unit/exec-fixture.o $(EXEC_OBJS)
	$(CC) $(LDFLAGS) -o $@ $^ -lcmocka -ldnnl -lm
UNIT_TESTS += $(EXEC_TESTS)
