#!/bin/sh
# SPDX-License-Identifier: MIT
# In the guest: the policy daemon is killed while networks run, stays away, and
# comes back. Nothing may fail, and every output must be the same.
model=/models/data/light/light_squeezenet.onnx
out=/share/daemon
mkdir -p "$out"

report()
{
	name=$1
	shift
	onsram run "$model" --expect "${model%.onnx}_output_0.pb" --json "$@" \
		>"$out/$name.json" 2>"$out/$name.err"
	echo $? >"$out/$name.status"
}

for policy in static eager; do
	pidof onsramd >/dev/null || onsramd --daemonize
	report "$policy-before" --policy $policy --repeat 3
	report "$policy-killed" --policy $policy --repeat 12 &
	run=$!
	# In the middle of things, wherever that is: loading, planning or a pass.
	sleep "${DELAY:-3}"
	kill -9 $(pidof onsramd)
	wait $run
	report "$policy-without" --policy $policy --repeat 2
	onsramd --daemonize
	report "$policy-after" --policy $policy --repeat 3
done
exit 0
