# SPDX-License-Identifier: MIT
# The policy daemon.
ONSRAMD_OBJS := $(patsubst %,$(B)/daemon/%.o, onsramd agent worker static history eager recorder \
	sequence repertoire policy table log notify netlink netlink-event netlink-parse)
NETLINK_OBJS := $(filter %/agent.o %/worker.o %/static.o %/onsramd.o %/netlink.o %/netlink-event.o %/netlink-parse.o,\
	$(ONSRAMD_OBJS))

$(NETLINK_OBJS): CFLAGS += -I/usr/include/libnl3
$(B)/onsramd: $(ONSRAMD_OBJS) $(LIBPLANNER) $(LIBPERF)
	$(call say,LD)
	$(Q)$(CC) $(LDFLAGS) -pthread -o $@ $^ -lnl-genl-3 -lnl-3
PROGRAMS += $(B)/onsramd

DAEMON_TESTS := $(addprefix $(B)/tests/unit/,test-eager test-sequence test-history test-netlink test-notify)
$(DAEMON_TESTS:=.o): CFLAGS += -Idaemon -I/usr/include/libnl3
$(DAEMON_TESTS): %: %.o $(LIBPLANNER) $(LIBPERF)
	$(call say,LD)
	$(Q)$(CC) $(LDFLAGS) -o $@ $(filter %.o,$^) $(filter %.a,$^) -lcmocka -lnl-genl-3 -lnl-3
$(B)/tests/unit/test-eager: $(B)/daemon/eager.o $(B)/daemon/table.o
$(B)/tests/unit/test-history: $(B)/daemon/history.o $(B)/daemon/eager.o \
	$(B)/daemon/recorder.o $(B)/daemon/sequence.o $(B)/daemon/table.o
$(B)/tests/unit/test-sequence: $(addprefix $(B)/daemon/,repertoire.o recorder.o sequence.o table.o)
$(B)/tests/unit/test-netlink: $(B)/daemon/netlink-parse.o
$(B)/tests/unit/test-notify: $(B)/daemon/notify.o $(B)/daemon/log.o
UNIT_TESTS += $(DAEMON_TESTS)
