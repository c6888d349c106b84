# SPDX-License-Identifier: MIT
# Records, and the pictures and traces that are made of them.
LIBPICTURE := $(B)/libonsram-picture.a
PICTURE_OBJS := $(patsubst %.c,$(B)/%.o,$(wildcard lib/picture/*.c))

$(LIBPICTURE): $(PICTURE_OBJS)
	$(call say,AR)
	$(Q)rm -f $@
	$(Q)$(AR) rcs $@ $^

PICTURE_TESTS := $(B)/tests/unit/test-picture
$(PICTURE_TESTS): %: %.o $(LIBPICTURE)
	$(call say,LD)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ -lcmocka -ljson-c -lm
UNIT_TESTS += $(PICTURE_TESTS)
