#!/bin/sh
# SPDX-License-Identifier: MIT
# In the guest: networks of the suites by name, under all policies, fp32 and fp16;
# reports and outputs go to /share.
mkdir -p /share/reports /share/outputs
for name in "$@"; do
	model=/models/networks/$name
	for dtype in fp32 fp16; do
		onsram run "$model/model.onnx" --input "$model"/test_data_set_0/input_*.pb --policy all \
			--dtype $dtype --repeat 2 --output-dir "/share/outputs/$name-$dtype" \
			--json >"/share/reports/$name-$dtype.json" 2>"/share/reports/$name-$dtype.err"
	done
done
dmesg | grep -E 'WARNING:|BUG:|Oops|Call Trace|onsram.*(hang|fault|reset)' >/share/reports/kernel.log
exit 0
