# SPDX-License-Identifier: MIT
# The command `onsram`.
ONSRAM := $(B)/onsram
ONSRAM_OBJS := $(patsubst %.c,$(B)/%.o,$(wildcard tools/onsram/*.c))

$(ONSRAM_OBJS): CFLAGS += -Itools/lib

$(ONSRAM): $(ONSRAM_OBJS) $(LIBONSRAM) $(LIBPLANNER) $(LIBPERF)
	$(call say,LD)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ -lprotobuf-c -ljson-c -lcrypto -lm

PROGRAMS += $(ONSRAM)
