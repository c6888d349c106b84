# SPDX-License-Identifier: MIT
# The Debian packages in a clean Debian: a lane of its own, it installs a compiler there
.PHONY: suite-package tap-package check-package
check-package:
	@scripts/check package
suite-package:
	@scripts/suite package $(MAKE) --no-print-directory tap-package
tap-package: deb $(ONSRAM)
	@scripts/setup-packages mmdebstrap
	@tests/package/run
