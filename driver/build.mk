# SPDX-License-Identifier: GPL-2.0-only
# onsram.ko, against the headers of the very kernel that the guest boots. Kbuild
# writes beside the sources, so it gets a folder of links to them.

# Not what a build in the checkout itself (the Kbuild file at the top) left behind
DRIVER_SRCS := $(filter-out %.mod.c,$(wildcard driver/Kbuild driver/*.[ch] driver/tests/*.c))
DRIVER_HDRS := $(wildcard uapi/*/*.h qemu-device/include/hw/misc/*.h)
MODULE := build/module/onsram.ko
KHEADERS := /usr/src/linux-headers-$(KREL)

# $(call module,FOLDER,KERNEL BUILD FOLDER,MORE): build the module in FOLDER
define module
@mkdir -p build/logs $(1)/tests
@find $(1) -xtype l -delete
@for f in $(DRIVER_SRCS); do ln -sfn '$(TOP)/'$$f $(1)/$${f#driver/}; done
$(call say,KBUILD,$(1)/onsram.ko)
+$(Q)set -o pipefail; $(MAKE) -C $(2) M=$(TOP)/$(1) ONSRAM_ROOT=$(TOP) $(3) modules 2>&1 | \
	tee build/logs/$(notdir $(1)).log $(if $(filter 1,$(V)),,>/dev/null) || \
	{ grep -E -A6 'error|warning|undefined|\*\*\*' build/logs/$(notdir $(1)).log | tail -n 60 >&2; \
	echo 'the whole log is build/logs/$(notdir $(1)).log' >&2; exit 1; }
@touch $(1)/onsram.ko
endef

$(MODULE): $(DRIVER_SRCS) $(DRIVER_HDRS)
	$(call module,build/module,$(KHEADERS))

# Sparse and all warnings, as errors; in a folder of its own, for W=1 rebuilds all.
.PHONY: sparse
sparse: $(DRIVER_SRCS) $(DRIVER_HDRS)
	@rm -rf build/sparse
	$(call module,build/sparse,$(KHEADERS),C=2 W=1)
	@! grep -E 'warning:|error:' build/logs/sparse.log

# With its KUnit tests, against the debug kernel
.PHONY: module-debug
module-debug:
	$(call module,build/module-debug,$$(scripts/build-debug-kernel)/build,CONFIG_ONSRAM_KUNIT_TEST=y)
