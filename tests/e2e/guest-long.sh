#!/bin/sh
# SPDX-License-Identifier: MIT
# In the guest: an operation that would take the host minutes holds up nobody for
# longer than its timeout, and not at all whoever resets or removes the device.
model=/models/data/light/light_squeezenet
d=$(readlink -f /sys/class/accel/accel0/device)
bdf=${d##*/}
timeout=/sys/module/onsram/parameters/timeout_ms

# others WHEN: a network still runs
others()
{
	timeout 60 onsram run $model.onnx --policy lru --expect ${model}_output_0.pb >/dev/null 2>&1 &&
		echo "others run $1"
}

# long: the operation computes in the background
long()
{
	onsram submit /share/long-job.json >/share/long-out 2>&1 &
	long=$!
	sleep 2
}

# ended WHEN: its client is told, and that soon
ended()
{
	from=$(cut -d. -f1 /proc/uptime)
	wait $long && echo "the operation succeeded $1"
	[ $(($(cut -d. -f1 /proc/uptime) - from)) -lt 10 ] && echo "ended $1"
}

echo 1000 >$timeout
long
others "beside it"
ended "at its timeout"
long
kill -9 $long
others "after its client's death"
echo 600000 >$timeout
long
echo 1 >"$d/reset" && ended "by a function reset"
others "after a function reset"
long
echo "$bdf" >/sys/bus/pci/drivers/onsram/unbind && ended "by unbinding"
echo "$bdf" >/sys/bus/pci/drivers/onsram/bind
sleep 1
others "after binding"
long
exec 7<>/dev/virtio-ports/onsram.knobs
echo unplug >&7
head -n 1 <&7
ended "by unplugging"
# The driver lets jobs that are on a ring finish, for ten seconds at most
for i in $(seq 20); do
	[ -e "$d" ] || break
	sleep 1
done
[ -e "$d" ] || echo "the device is gone"
exit 0
