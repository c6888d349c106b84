#!/bin/sh
# SPDX-License-Identifier: MIT
# In the guest: the policy daemon is stopped and goes on later. One run waits for it,
# the next does not, and when it goes on it plans again.
model=/models/data/light/light_squeezenet.onnx
out=/share/stalled
agent=/sys/class/accel/accel0/device/spm/agent
mkdir -p "$out"

run()
{
	onsram run "$model" --policy static --expect "${model%.onnx}_output_0.pb" \
		>/dev/null 2>"$out/$1" || exit 1
	cat "$agent"
}

kill -STOP "$(pidof onsramd)"
run first
run second
kill -CONT "$(pidof onsramd)"
sleep 2
run third
dmesg | grep 'policy agent' | sed 's/.*the policy agent/the policy agent/'
