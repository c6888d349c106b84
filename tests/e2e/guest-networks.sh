#!/bin/sh
# SPDX-License-Identifier: MIT
# In the guest: every light model under all policies; reports go to /share/reports.
mkdir -p /share/reports /share/outputs
for model in /models/data/light/*.onnx; do
	name=$(basename "$model" .onnx)
	onsram run "$model" --policy none,lru,static,eager --repeat "${REPEAT:-1}" \
		--expect "${model%.onnx}_output_0.pb" --output-dir "/share/outputs/$name" \
		--json >"/share/reports/$name.json" 2>"/share/reports/$name.err"
	echo $? >"/share/reports/$name.status"
done
dmesg | grep -E 'WARNING:|BUG:|Oops|Call Trace|onsram.*(hang|fault|reset)' >/share/reports/kernel.log
exit 0
