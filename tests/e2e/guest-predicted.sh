#!/bin/sh
# SPDX-License-Identifier: MIT
# In the guest: networks by plans of the daemon's, and the same plans on paper.
out=/share/predicted
mkdir -p "$out"
for n in squeezenet shufflenet inception_v1; do
	model=/models/data/light/light_$n.onnx
	for t in fp16 fp32; do
		for policy in static static-paper; do
			name=$out/$n-$t-$policy
			onsram run "$model" --policy $policy --dtype $t --repeat 3 --json \
				>"$name-run.json" 2>"$name-run.err" || exit 1
			onsram plan "$model" --policy $policy --dtype $t --json \
				>"$name-plan.json" 2>"$name-plan.err" || exit 1
		done
	done
done
