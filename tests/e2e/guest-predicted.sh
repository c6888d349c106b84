#!/bin/sh
# SPDX-License-Identifier: MIT
# In the guest: networks by plans of the daemon's, and the same plans on paper.
out=/share/predicted
mkdir -p "$out"
for n in squeezenet shufflenet inception_v1; do
	for t in fp16 fp32; do
		model=/models/data/light/light_$n.onnx
		onsram run "$model" --policy static --dtype $t --repeat 3 --json \
			>"$out/$n-$t-run.json" 2>"$out/$n-$t-run.err" || exit 1
		onsram plan "$model" --policy static --dtype $t --without overlap --json \
			>"$out/$n-$t-plan.json" 2>"$out/$n-$t-plan.err" || exit 1
	done
done
