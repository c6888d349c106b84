#!/bin/sh
# SPDX-License-Identifier: MIT
# In the guest: the same runs again and again, beside a daemon that remembers.
# Every figure of every pass must be the same each time.
out=/share/same
mkdir -p "$out"
for n in squeezenet shufflenet inception_v1; do
	for i in 1 2 3 4 5 6 7 8 9 10; do
		onsram run "/models/data/light/light_$n.onnx" --policy eager --repeat 4 --json \
			>"$out/$n-$i.json" 2>>"$out/$n.err" || exit 1
	done
done
