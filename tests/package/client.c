// SPDX-License-Identifier: MIT
/* A program of a user of libonsram, built by what pkg-config says. */
#include <stdio.h>
#include <stdlib.h>

#include <device.h>
#include <linux/onsram_netlink.h>

int main(void)
{
	char *err;
	struct onsram_device *dev = onsram_device_open(&err);

	if (!dev) {
		printf("%s: %s\n", ONSRAM_FAMILY_NAME, err ? err : "not enough memory");
		free(err);
		return 1;
	}
	printf("SPM: %llu bytes\n", (unsigned long long)dev->info.model.spm_size);
	onsram_device_close(dev);
	return 0;
}
