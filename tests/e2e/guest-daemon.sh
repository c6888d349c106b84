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
	# Killed and restarted in the middle of things: loading, planning, passes
	report "$policy-killed" --policy $policy --repeat 100 &
	run=$!
	for i in 1 2 3; do
		sleep 1
		kill -9 "$(pidof onsramd)"
		sleep 1
		onsramd --daemonize
	done
	wait $run
	kill -9 "$(pidof onsramd)"
	report "$policy-without" --policy $policy --repeat 2
	onsramd --daemonize
	report "$policy-after" --policy $policy --repeat 3
done
exit 0
