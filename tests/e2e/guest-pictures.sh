#!/bin/sh
# SPDX-License-Identifier: MIT
# In the guest: passes as pictures and traces; what happens where they cannot be made.
out=/share/pictures
model=/models/data/light/light_squeezenet.onnx
mkdir -p "$out"
for policy in none lru static-paper static eager; do
	onsram run "$model" --policy $policy --repeat 3 --explain --svg "$out/$policy.svg" --trace "$out/$policy.trace" --json \
		>"$out/$policy.json" 2>"$out/$policy.err"
done
onsram run "$model" --policy static --explain >"$out/explained" 2>"$out/explained.err"
onsram bench --suite "$model" --passes 1 --policies none,static --svg "$out/bench.svg" >/dev/null 2>"$out/bench.err"
onsram diff "$out/lru.json" "$out/static.json" >"$out/differences" 2>"$out/differences.err"
mkdir "$out/page"
cp "$out/static.svg" "$out/bench.svg" "$out/page"
cp "$out/static.json" "$out/page/run.json"
cp "$out/static.trace" "$out/page/trace.json"
onsram report "$out/page" >"$out/reported" 2>&1
ls /sys/kernel/tracing/instances >"$out/left"
onsram run "$model" --policy none --svg /dev/full >/dev/null
echo $?
umount /sys/kernel/tracing
onsram run "$model" --policy none --svg "$out/not.svg" >/dev/null
echo $?
