# SPDX-License-Identifier: MIT
# Unit tests: cmocka programs that need neither device nor guest.

EXEC_TESTS := $(addprefix $(B)/tests/unit/,test-exec test-exec-agree test-exec-cancel test-exec-check \
	test-exec-math test-exec-pool)
$(EXEC_TESTS): %: %.o $(addprefix $(B)/tests/unit/,exec-fixture.o exec-ops.o) $(EXEC_OBJS)
	$(call say,LD)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ -lcmocka -ldnnl -lm
UNIT_TESTS += $(EXEC_TESTS)

# The driver's validator, on the host: the few kernel headers it asks for are in shim/
VALIDATE_OBJS := $(addprefix $(B)/driver/,onsram_validate.o onsram_validate_op.o)
$(VALIDATE_OBJS) $(B)/tests/unit/test-exec-agree.o: \
	CFLAGS += -Itests/unit/shim -Idriver
$(B)/tests/unit/test-exec-agree: $(VALIDATE_OBJS)

VALIDATE_TESTS := $(addprefix $(B)/tests/unit/,test-validate test-validate-bytes)
RESIDENCY_OBJS := $(addprefix $(B)/driver/onsram_,contents.o follow.o order.o overwrite.o plan.o range.o residency.o \
	spm.o)
RESIDENCY_TESTS := $(addprefix $(B)/tests/unit/,test-residency test-parts test-residency-random)
ORDER_TESTS := $(B)/tests/unit/test-order
PLAN_TESTS := $(B)/tests/unit/test-plan
FIGURE_TESTS := $(B)/tests/unit/test-figure
DRIVER_TESTS := $(VALIDATE_TESTS) $(RESIDENCY_TESTS) $(ORDER_TESTS) $(PLAN_TESTS) $(FIGURE_TESTS)
$(RESIDENCY_OBJS) $(DRIVER_TESTS:%=%.o) $(addprefix $(B)/tests/unit/,spm-sim.o ring-sim.o): \
	CFLAGS += -Itests/unit/shim -Idriver
$(RESIDENCY_TESTS): $(B)/tests/unit/spm-sim.o $(RESIDENCY_OBJS)
$(ORDER_TESTS): $(B)/tests/unit/ring-sim.o $(RESIDENCY_OBJS)
$(PLAN_TESTS): $(B)/driver/onsram_plan.o
$(DRIVER_TESTS): %: %.o $(VALIDATE_OBJS)
	$(call say,LD)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ -lcmocka
UNIT_TESTS += $(DRIVER_TESTS)

# ONNX import: what a program computes is checked by the device's own arithmetic
IMPORT_TESTS := $(addprefix $(B)/tests/unit/,test-array test-import test-import-bad test-networks \
	fuzz-cases host-cases test-import-control test-import-fold test-import-inputs test-import-refuse \
	test-pool)
IMPORT_OBJS := $(addprefix $(B)/tests/unit/,host-run.o import-fixture.o model.o \
	wrap-case.o)
$(IMPORT_TESTS:%=%.o) $(IMPORT_OBJS): CFLAGS += -I$(B)/gen -Itools/lib
$(IMPORT_TESTS:%=%.o) $(IMPORT_OBJS): | $(B)/gen/onnx.pb-c.h
$(IMPORT_TESTS): %: %.o $(IMPORT_OBJS) $(EXEC_OBJS) $(LIBONSRAM)
	$(call say,LD)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ -lcmocka -lprotobuf-c -ldnnl -lm
UNIT_TESTS += $(IMPORT_TESTS)

# Plans as the driver carries them out: its residency code under the planner's plans
PLAN_DEVICE := $(B)/tests/unit/test-plan-device
$(B)/tests/unit/plan-device.o: CFLAGS += -Itests/unit/shim -Idriver
$(PLAN_DEVICE): %: %.o $(B)/tests/unit/plan-device.o $(RESIDENCY_OBJS) $(VALIDATE_OBJS) $(LIBPLANNER) $(LIBPERF)
	$(call say,LD)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ -lcmocka -lm
UNIT_TESTS += $(PLAN_DEVICE)

# Whole networks under the eager policy: importer, the driver's residency code, the daemon's logic
EAGER_NETWORKS := $(B)/tests/unit/test-eager-networks
$(B)/tests/unit/eager-replay.o: CFLAGS += -Itests/unit/shim -Idriver
$(EAGER_NETWORKS).o $(B)/tests/unit/eager-replay.o: CFLAGS += -Idaemon -Itools/lib
$(EAGER_NETWORKS): %: %.o $(B)/tests/unit/eager-replay.o $(RESIDENCY_OBJS) $(VALIDATE_OBJS) \
	$(addprefix $(B)/daemon/,eager.o recorder.o sequence.o repertoire.o table.o) $(LIBONSRAM) \
	$(LIBPLANNER) $(LIBPERF)
	$(call say,LD)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ -lcmocka -lprotobuf-c -lm
UNIT_TESTS += $(EAGER_NETWORKS)

# The policy protocol: header against specification
UNIT_TESTS += tests/unit/test-netlink-spec.sh

# The device library and the runner, on a mock of the system calls
DEVICE_TESTS := $(addprefix $(B)/tests/unit/,test-device test-runner)
$(DEVICE_TESTS:=.o) $(B)/tests/unit/mock-device.o: CFLAGS += -Itools/lib
$(DEVICE_TESTS): %: %.o $(B)/tests/unit/mock-device.o $(LIBONSRAM)
	$(call say,LD)
	$(Q)$(CC) $(LDFLAGS) -Wl,--wrap=open,--wrap=close,--wrap=ioctl,--wrap=mmap,--wrap=munmap \
		-o $@ $^ -lcmocka -lprotobuf-c -lm
UNIT_TESTS += $(DEVICE_TESTS)

# Trace events of the driver as records
REPLAY_TESTS := $(B)/tests/unit/test-replay
$(REPLAY_TESTS).o: CFLAGS += -Itools/onsram -Itools/lib
$(REPLAY_TESTS): %: %.o $(B)/tools/onsram/replay.o
	$(call say,LD)
	$(Q)$(CC) $(LDFLAGS) -o $@ $^ -lcmocka
UNIT_TESTS += $(REPLAY_TESTS)

# Making networks, which no sanitizer looks into
ifeq ($(SAN),)
UNIT_TESTS += tests/unit/test-models.py
endif

# The command line, without a device
UNIT_TESTS += tests/unit/test-cli.sh tests/unit/test-pictures.py
tap-unit: export ONSRAM_BIN = $(B)/onsram
built-unit: $(B)/onsram
