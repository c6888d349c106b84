# SPDX-License-Identifier: MIT
# The driver on Debian 13's kernels, the newest among them: a lane of its own, it
# needs root and fetches 300 MB once
.PHONY: suite-kernels tap-kernels check-kernels
check-kernels:
	@scripts/check kernels
suite-kernels:
	@scripts/suite kernels $(MAKE) --no-print-directory tap-kernels
tap-kernels: guest
	@scripts/setup-packages mmdebstrap
	@tests/kernels/run
