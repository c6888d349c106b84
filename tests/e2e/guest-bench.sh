#!/bin/sh
# SPDX-License-Identifier: MIT
# In the guest: two benches of a small suite, one with a damaged model, one of another device.
out=/share/bench
mkdir -p "$out/suites"
cd /models/data/light || exit 1
printf 'damaged.onnx\tDamaged\n../../../models/data/light/light_squeezenet.onnx\tSqueezeNet\n' >"$out/suites/half"
echo "not a model" >"$out/suites/damaged.onnx"
for i in 1 2; do
	onsram bench --suite light_squeezenet.onnx light_shufflenet.onnx --passes 3 --json --csv "$out/$i.csv" \
		>"$out/same-$i.json" 2>>"$out/err" || exit 1
done
onsram bench --folder "$out" --suite half --policies none,lru --passes 1 --json --csv "$out/half.csv" >"$out/half.json" 2>"$out/half.err"
echo "status $?"
onsram bench --suite light_squeezenet.onnx --model paper 2>"$out/paper.err"
echo "status $?"
