# SPDX-License-Identifier: MIT
# Everything starts here: 'make help' lists the targets. The parts bring their own
# build.mk; what belongs to no checkout (QEMU, kernels, models) lives in the cache.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
SHELL := /bin/bash
MAKEFLAGS += --no-builtin-rules

TOP := $(CURDIR)
export ONSRAM_CACHE ?= $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/onsram
CACHE := $(ONSRAM_CACHE)

# Settings of the virtual machine
SHARE ?= $(TOP)/build/share
MEM ?= 2G
# Jobs at a time when building
JOBS ?= $(shell nproc)
# Seconds that a command in the guest may take
TIMEOUT ?= 900
# none, intel or virtio
IOMMU ?= none
# 1: neither load the driver, nor start the daemon, nor have the device
NO_DRIVER ?=
NO_DAEMON ?=
NO_DEVICE ?=
# 1: QEMU counts instructions, one a nanosecond of guest time
ICOUNT ?=
# Properties of the device by name, and any more of them: a=b,c=d
SPM_SIZE ?=
DRAM_BW ?=
PEAK_FLOPS ?=
DEVICE ?=
# Parameters of onsram.ko, more kernel command line, more QEMU options
DRIVER_OPTIONS ?=
APPEND ?=
QEMU_EXTRA ?=

# Needing no set-up, these leave the machine as it is.
bare := help clean distclean packaged
setup := $(filter-out $(bare),$(or $(MAKECMDGOALS),help))
ifneq ($(setup),)
ifeq ($(ONSRAM_PACKAGES),)
ifneq ($(shell scripts/setup-packages >&2 && echo done),done)
$(error the packages above are needed)
endif
endif
export ONSRAM_PACKAGES := done
KREL := $(shell . scripts/common.sh && kernel_release)
endif

# --- host programs, in the plain and the sanitized flavour ---------------------

# $(call say,WORD): announces what a recipe makes, as the kernel's build does. V=1
# shows the commands instead, and -s nothing.
V ?=
Q := $(if $(filter 1,$(V)),,@)
silent := $(filter 1,$(V))$(findstring s,$(filter-out --%,$(firstword -$(MAKEFLAGS))))
say = $(if $(silent),,@printf '  %-7s %s\n' $(1) '$(or $(2),$(@:$(B)/%=%))')

SAN ?=
B := build/$(if $(SAN),san,host)
CC := gcc
AR := ar
CFLAGS := -std=gnu11 -Wall -Wextra -Werror -O2 -g -MMD -MP \
	-Iuapi -Ilib/perf -Ilib/picture -Ilib/planner -Iqemu-device/include -Iqemu-device/hw/misc/onsram \
	-I/usr/include/libdrm $(EXTRA_CFLAGS)
LDFLAGS := $(EXTRA_LDFLAGS)
ifneq ($(SAN),)
sanitize := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
CFLAGS += $(sanitize)
LDFLAGS += $(sanitize)
endif

# Linux's source: the kselftest harness, checkpatch and the debug kernel
KSRC := $(CACHE)/linux-source-$(KREL)
KSELFTEST := $(KSRC)/tools/testing/selftests

# What the fragments add to:
# programs of the host and of the guest
PROGRAMS :=
# cmocka programs under $(B), or scripts, that print TAP
UNIT_TESTS :=
# programs under $(B) that run in the guest and print TAP
SELFTESTS :=
# FILE=PATH: more files for the guest
GUEST_FILES :=

include $(wildcard lib/*/build.mk qemu-device/build.mk tools/build.mk tools/*/build.mk daemon/build.mk \
	driver/build.mk packaging/build.mk tests/*/build.mk)

$(B)/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC)
	$(Q)$(CC) $(CFLAGS) -c -o $@ $<

$(B)/gen/%.o: $(B)/gen/%.c
	$(call say,CC)
	$(Q)$(CC) $(CFLAGS) -c -o $@ $<

-include $(if $(setup),$(shell find $(B) -name '*.d' 2>/dev/null))

$(KSRC):
	@scripts/fetch-kernel-source >/dev/null

# --- the guest ------------------------------------------------------------------

VM := build/vm
KERNEL := $(CACHE)/kernel-$(KREL)
IMAGE := $(VM)/initramfs.cpio
guest_files = $(foreach p,$(PROGRAMS),$(p)=/usr/bin/$(notdir $(p))) \
	$(foreach t,$(SELFTESTS),$(t)=/usr/lib/onsram/selftests/$(notdir $(t))) \
	$(foreach f,$(wildcard tools/demo/*),$(f)=/usr/lib/onsram/demo/$(notdir $(f))) \
	$(GUEST_FILES)
guest_inputs = $(foreach f,$(guest_files),$(firstword $(subst =, ,$(f)))) \
	tools/vm/init tools/vm/mkimage

# What the image is made of changes with the set of files, too.
$(VM)/files: FORCE
	@mkdir -p $(@D)
	@echo '$(guest_files)' | cmp -s - $@ || echo '$(guest_files)' >$@

$(KERNEL):
	@scripts/fetch-kernel >/dev/null

$(IMAGE): $(KERNEL)/release $(MODULE) $(VM)/files $(guest_inputs)
	$(call say,GEN)
	$(Q)tools/vm/mkimage $@ $(KERNEL) $(MODULE) $(guest_files)

$(KERNEL)/release: | $(KERNEL)

comma := ,
empty :=
space := $(empty) $(empty)
device_properties = $(subst $(space),$(comma),$(strip $(DEVICE) \
	$(SPM_SIZE:%=spm-size=%) $(DRAM_BW:%=dram-bw=%) $(PEAK_FLOPS:%=peak-flops=%)))

# The guest booter: $(call vm,KERNEL-FOLDER,IMAGE,FOLDER OF THE LOGS)
vm = tools/vm/run-vm --qemu "$$(qemu-device/build.sh)" --kernel $(1)/vmlinux --initrd $(2) \
	--logs $(3) --cache "$(CACHE)" --share "$(SHARE)" \
	--models "$$(tools/models/make-networks)" --testdata "$(CACHE)/onnx-testdata/data" \
	--mem $(MEM) --timeout $(TIMEOUT) --iommu $(IOMMU) --device "$(device_properties)" \
	--driver-options '$(DRIVER_OPTIONS)' --append='$(APPEND)' --qemu-extra='$(QEMU_EXTRA)' \
	$(if $(filter 1,$(NO_DRIVER)),--no-driver) $(if $(filter 1,$(NO_DAEMON)),--no-daemon) \
	$(if $(filter 1,$(NO_DEVICE)),--no-device) $(if $(filter 1,$(ICOUNT)),--icount)

# --- targets --------------------------------------------------------------------

.PHONY: FORCE help all guest qemu models run vm shell check check-debug unit qtest kselftest e2e conformance networks trained pictures \
	bench bench-policies bench-table ablation reproduction network-page lint suite-unit suite-unit-san suite-qtest suite-kselftest suite-e2e \
	suite-conformance suite-networks suite-trained suite-lint suite-debug clean distclean

help:
	@echo 'onsram: scratch-pad memory management for a deep learning accelerator'
	@echo
	@echo '  make run           set up, boot the guest, compare the policies on real networks'
	@echo '  make check         set up, build, run all tests'
	@echo '  make check-debug   kselftests and KUnit on a kernel with KASAN, lockdep, kmemleak'
	@echo '                     and UBSAN (its first build takes some 11 minutes on 2 cores)'
	@echo '  make deb           Debian packages, in build/deb; make check-package: install, use and'
	@echo '                     purge them in a clean Debian (root)'
	@echo '  make check-kernels self tests on the kernels of Debian 13, the newest too (root)'
	@echo '  make shell         boot the guest to a prompt'
	@echo "  make -s vm CMD='onsram info'"
	@echo '                     run one command in the guest; output and exit status are its own'
	@echo '  make unit qtest kselftest e2e conformance networks trained pictures lint'
	@echo '                     one layer of the tests'
	@echo '  make bench         benchmarks'
	@echo '  make bench-policies'
	@echo '                     the policies on sixteen networks; BENCH= options of onsram bench'
	@echo '  make bench-table   the same as the table in README.md'
	@echo '  make ablation      write into docs/policies.md what each part of the planner is worth'
	@echo '  make reproduction  write docs/reproduction.md: the publication beside us'
	@echo '  make network-page  write docs/networks.md: sizes of the networks beside published ones'
	@echo '  make all           build everything, run nothing; V=1 shows the commands'
	@echo '  make clean         remove build/; make distclean: the cache as well'
	@echo
	@echo 'Settings of the guest, as in "make vm CMD=... SPM_SIZE=4M":'
	@echo '  SHARE=DIR          host folder at /share (build/share)   MEM=2G  IOMMU=none|intel|virtio'
	@echo '  SPM_SIZE= DRAM_BW= PEAK_FLOPS=   device properties; more: DEVICE=a=b,c=d'
	@echo '  DRIVER_OPTIONS= APPEND= QEMU_EXTRA=   module, kernel and QEMU options'
	@echo '  NO_DAEMON=1 NO_DRIVER=1 NO_DEVICE=1   TIMEOUT=900 (seconds)'
	@echo
	@echo 'The cache: $(CACHE)'

# In parallel, while what runs the guest runs alone; and by one make at a time, so
# that two in a checkout do no harm to what they build.
locked = mkdir -p build && flock -o build/lock $(MAKE) --no-print-directory -j$(JOBS)

all:
	+@$(locked) built-all

# For those who want to see what runs in it: one line, and what goes wrong
guest:
	$(call say,BUILD)
	+@$(locked) $(if $(filter 1,$(V)),,-s) built-guest

.PHONY: built-all built-guest built-unit built-debug
built-all: built-guest built-unit $(PROGRAMS) $(SELFTESTS)
built-guest: qemu models $(IMAGE)
built-unit: $(UNIT_TESTS)

qemu:
	@qemu-device/build.sh >/dev/null

models:
	@scripts/fetch-trixie && tools/models/make-networks >/dev/null

ifneq ($(filter vm,$(MAKECMDGOALS)),)
-load build/exit-status.so(exit_status_gmk_setup)
build/exit-status.so: tools/vm/exit-status.c
	@mkdir -p $(@D)
	@$(CC) -std=gnu11 -Wall -Wextra -Werror -O2 -shared -fPIC -o $@ $<
vm_status := $(VM)/status-$(shell echo $$PPID)
endif

vm: vm-run
	$(exit-status $(shell cat $(vm_status); rm $(vm_status)))

.PHONY: vm-run
# As it was given: the guest's shell expands it, not make.
vm-run: export ONSRAM_CMD = $(or $(value CMD),$(error say what to run: make vm CMD='...'))
vm-run: guest
	@$(call vm,$(KERNEL),$(IMAGE),$(VM)) --command "$$ONSRAM_CMD"; echo $$? >$(vm_status)

shell: guest
	@$(call vm,$(KERNEL),$(IMAGE),$(VM))

run: guest
	@$(call vm,$(KERNEL),$(IMAGE),$(VM)) --command /usr/lib/onsram/demo/compare-policies.sh
	@printf '\nThe last of these passes of the first network under static, as a picture: %s\n' '$(SHARE:$(TOP)/%=%)/run.svg'

# Times need no results, and come sooner without
bench-policies bench-table: override DEVICE += functional=off
bench-policies: guest
	@$(call vm,$(KERNEL),$(IMAGE),$(VM)) --command 'onsram bench $(BENCH)'

# The table in the README
bench-table: guest
	@$(call vm,$(KERNEL),$(IMAGE),$(VM)) --command 'onsram bench --json' >build/bench.json
	@scripts/bench-table build/bench.json README.md

# The table in docs/policies.md
ablation: all
	@scripts/ablation $(B)/onsram "$$(tools/models/make-networks)" docs/policies.md

# The publication's machine and graphs, and docs/reproduction.md from what came of it
reproduction: override DEVICE += model=paper functional=off
reproduction: all
	@$(call vm,$(KERNEL),$(IMAGE),$(VM)) --command 'onsram bench --suite onsram12 --model paper --fuse off \
		--dtype fp16 --json' >build/reproduction.json
	@mv build/reproduction.json docs/reproduction.json
	@scripts/reproduction docs/reproduction.json --models "$$(tools/models/make-networks)" >build/reproduction.md
	@mv build/reproduction.md docs/reproduction.md

network-page: all
	@tools/models/network-page $(B)/onsram >build/networks.md
	@mv build/networks.md docs/networks.md

bench: all
	@tests/bench/run

# Every suite prints TAP; scripts/suite shows it, counts it, and remembers the
# counts for the summary. A suite that cannot be built counts as one failure.
unit: suite-unit suite-unit-san
qtest kselftest e2e conformance networks trained pictures lint: %: suite-%

suite-unit:
	@scripts/suite unit $(MAKE) --no-print-directory tap-unit
suite-unit-san:
	@scripts/suite unit-san $(MAKE) --no-print-directory SAN=1 tap-unit
suite-qtest:
	@scripts/suite qtest $(MAKE) --no-print-directory tap-qtest
suite-kselftest:
	@scripts/suite kselftest $(MAKE) --no-print-directory tap-kselftest
suite-e2e:
	@scripts/suite e2e $(MAKE) --no-print-directory tap-e2e
suite-conformance:
	@scripts/suite conformance $(MAKE) --no-print-directory tap-conformance
suite-networks:
	@scripts/suite networks $(MAKE) --no-print-directory tap-networks
suite-trained:
	@scripts/suite trained $(MAKE) --no-print-directory tap-trained
suite-pictures:
	@scripts/suite pictures $(MAKE) --no-print-directory tap-pictures
suite-debug:
	@scripts/suite debug $(MAKE) --no-print-directory tap-debug
suite-lint:
	@scripts/suite lint $(MAKE) --no-print-directory tap-lint

.PHONY: tap-unit tap-qtest tap-kselftest tap-e2e tap-conformance tap-networks tap-trained tap-lint tap-debug
tap-unit: export CMOCKA_MESSAGE_OUTPUT = TAP
tap-unit:
	+@$(locked) built-unit
	@status=0; for t in $(UNIT_TESTS); do echo "# $$t"; timeout 300 "$(TOP)/$$t" || status=1; done; exit $$status

tap-qtest: qemu
	@out=$$(qemu-device/build.sh) && \
	QTEST_QEMU_BINARY=$$out/qemu-system-x86_64 timeout 300 $$out/onsram-test --tap

tap-kselftest: guest
	@$(call vm,$(KERNEL),$(IMAGE),$(VM)) --command '$(run_selftests)'

run_selftests = status=0; for t in /usr/lib/onsram/selftests/*; do \
	echo "\# $$t"; timeout 600 "$$t" || status=1; done; exit $$status

# KUnit prints its results two levels deep and its suites run when the module is
# loaded; the kernel log is judged by the last self test.
tap-debug:
	+@$(locked) built-debug
	@$(call vm,$$(scripts/build-debug-kernel),$(DEBUG_IMAGE),build/vm-debug) --timeout 2700 \
		--command '$(run_kunit); $(run_selftests)'

DEBUG_IMAGE := build/vm-debug/initramfs.cpio
built-debug: qemu module-debug $(guest_inputs)
	$(call say,GEN,$(DEBUG_IMAGE))
	$(Q)tools/vm/mkimage $(DEBUG_IMAGE) "$$(scripts/build-debug-kernel)" \
		build/module-debug/onsram.ko $(guest_files)

run_kunit = for r in /sys/kernel/debug/kunit/*/results; do \
	sed -n "/^    \(not \)*ok/s/^    //p; /^    [^o]/s/^/\# /p" "$$r"; done

tap-e2e: all
	@tests/e2e/run

# All of ONNX's cases, or with PART=K/N every Nth of them
PART ?= 1/1
tap-conformance: guest
	@tests/conformance/run $(PART)

# A suite of networks that tools/models/suites.py has, and the number of one more
NETWORKS ?= all
tap-networks: guest
	@tests/networks/run $(NETWORKS)

tap-trained: guest
	@tests/trained/run

# In a browser, which is large: no part of make check
tap-pictures: models
	+@$(locked) $(B)/onsram
	@tests/pictures/run $(CACHE)/onnx-testdata/data/light

tap-lint: $(KSRC)
	@scripts/lint $(KSRC)

# A third of ONNX's cases and one of the large networks, others after every commit
commits := $(if $(filter check,$(MAKECMDGOALS)),$(shell git rev-list --count HEAD 2>/dev/null || echo 0))
check: export PART = $(shell echo $$(($(commits) % 3 + 1)))/3
check: export NETWORKS = quick $(commits)
check:
	@scripts/check lint unit unit-san qtest kselftest e2e conformance networks

check-debug:
	@scripts/check debug

clean:
	rm -rf build

distclean: clean
	rm -rf "$(CACHE)"
