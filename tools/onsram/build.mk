# SPDX-License-Identifier: MIT
# The command `onsram`.
ONSRAM := $(B)/onsram
ONSRAM_OBJS := $(patsubst %.c,$(B)/%.o,$(wildcard tools/onsram/*.c))

$(ONSRAM_OBJS): CFLAGS += -Itools/lib -Idaemon

# The planner's own fragment is read later and names the same file.
$(ONSRAM): $(ONSRAM_OBJS) $(LIBONSRAM) $(B)/libonsram-planner.a $(LIBPERF)
	$(CC) $(LDFLAGS) -o $@ $^ -lprotobuf-c -ljson-c -lcrypto -lm

PROGRAMS += $(ONSRAM)
