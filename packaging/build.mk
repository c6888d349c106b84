# SPDX-License-Identifier: MIT
# Debian packages; and the shared library, which only they need.
LIBONSRAM_SO := $(B)/libonsram.so.0.1

$(LIBONSRAM_SO): tools/lib/device.c packaging/libonsram.map
	@mkdir -p $(@D)
	$(call say,LD)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -fPIC -shared -Wl,-soname,libonsram.so.0 \
		-Wl,--version-script=packaging/libonsram.map -o $@ $<

.PHONY: packaged deb
packaged: $(B)/onsram $(B)/onsramd $(LIBONSRAM_SO)

# Of the files that git tracks, as they are here
deb:
	@packaging/build-deb
