#!/bin/sh
# SPDX-License-Identifier: MIT
# In the guest: passes as pictures and traces; what happens where they cannot be made.
out=/share/pictures
model=/models/data/light/light_squeezenet.onnx
mkdir -p "$out"
for policy in none lru static eager; do
	onsram run "$model" --policy $policy --repeat 3 --svg "$out/$policy.svg" --trace "$out/$policy.trace" --json \
		>"$out/$policy.json" 2>"$out/$policy.err"
done
ls /sys/kernel/tracing/instances >"$out/left"
onsram run "$model" --policy none --svg /dev/full >/dev/null
echo $?
umount /sys/kernel/tracing
onsram run "$model" --policy none --svg "$out/not.svg" >/dev/null
echo $?
