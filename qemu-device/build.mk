# SPDX-License-Identifier: GPL-2.0-or-later
# The device's arithmetic, for tests on the host
EXEC_OBJS := $(patsubst %.c,$(B)/%.o,$(wildcard qemu-device/hw/misc/onsram/exec*.c))
