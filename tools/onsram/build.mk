# SPDX-License-Identifier: MIT
# The command `onsram`.
ONSRAM := $(B)/onsram
ONSRAM_OBJS := $(patsubst %.c,$(B)/%.o,$(wildcard tools/onsram/*.c))

$(ONSRAM_OBJS): CFLAGS += -Itools/lib

$(ONSRAM): $(ONSRAM_OBJS) $(LIBONSRAM) $(LIBPICTURE) $(LIBPLANNER) $(LIBPERF)
	$(call say,LD)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ -lprotobuf-c -ljson-c -lcrypto -lncurses -ltinfo -lm

$(B)/tools/onsram/published.o: docs/published.json

PROGRAMS += $(ONSRAM)
# The terminals that a guest's console can be
GUEST_FILES += $(foreach t,l/linux v/vt220 d/dumb,/lib/terminfo/$(t)=/lib/terminfo/$(t))
