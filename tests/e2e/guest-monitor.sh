#!/bin/sh
# SPDX-License-Identifier: MIT
# In the guest: what monitors show while networks run, and when the device goes away.
# Prints "ok TEXT" or "not ok TEXT" a line.
dir=$(mktemp -d)
cd "$dir" || exit 1

check()
{
	text=$1
	shift
	if "$@" >check.out 2>&1; then
		echo "ok $text"
	else
		echo "not ok $text"
		cat "$dir"/*.out "$dir"/*.err >&2
	fi
}

# gone FILE: a monitor ended with status 1 and said why
gone()
{
	[ "$(cat "$1.status")" = 1 ] && grep -q 'the device is gone' "$1.err"
}

onsram run /models/data/light/light_squeezenet.onnx --policy lru --repeat 2000 >run.out 2>&1 &
run=$!
while [ "$(cat /sys/class/accel/accel0/device/spm/hits)" = 0 ]; do sleep 0.1; done

onsram top --batch --count 2 >top.out 2>top.err
check "top shows the client, by name" grep -Eq "^ +[0-9]+ +$run onsram " top.out
check "top shows a map of the SPM" grep -Eq '^map +\[[0-9.]+\]$' top.out
check "top shows each engine once a look" [ "$(grep -c '^compute0' top.out):$(grep -c '^copy' top.out)" = 2:2 ]
check "top shows rates from the second look on" \
	sh -c 'grep "^hits" top.out | sed -n 2p | grep -qv "hits 0/s"'
onsram top </dev/null >tty.out 2>tty.err
check "top wants a terminal, or --batch" sh -c "[ $? = 1 ] && grep -q 'try --batch' tty.err"

onsram stat --watch --count 2 >stat.out 2>stat.err
check "stat --watch prints rates" grep -Eq '^hits +[0-9]+  \(\+[0-9]+, [0-9.e+]+/s\)$' stat.out

onsram stat --prometheus >prom.out 2>prom.err
check "each metric has its type before its samples" awk '
	/^# TYPE / { type[$3] = $4; next }
	/^#/ { next }
	{ sub(/[{ ].*/, ""); if (!($0 in type)) exit 1; n++ }
	END { exit n < 20 }' prom.out
check "counters are named as such" sh -c "! awk '/^# TYPE/ && (\$4 == \"counter\") != (\$3 ~ /_total\$/)' prom.out | grep ."
check "samples are numbers with the device's address" sh -c \
	"! grep -v '^#' prom.out | grep -Ev '^onsram_[a-z_]+[{]device=\"[0-9a-f:.]+\"(,[a-z]+=\"[a-z0-9-]+\")*[}] [0-9.]+\$'"
onsram stat --prometheus --output metrics.prom >file.out 2>file.err
check "a file for the collector" sh -c '[ $(grep -c "" metrics.prom) = $(grep -c "" prom.out) ] && [ $(ls metrics.prom* | wc -l) = 1 ]'
onsram stat --prometheus --output /nonexistent/metrics.prom >bad.out 2>bad.err
check "a folder that is not there is named" sh -c "[ $? = 1 ] && grep -q /nonexistent bad.err"

for monitor in "top --batch" "stat --watch"; do
	name=${monitor%% *}
	( onsram $monitor >"$name-gone.out" 2>"$name-gone.err"; echo $? >"$name-gone.status" ) &
done
sleep 1.5
echo 0000:01:00.0 >/sys/bus/pci/drivers/onsram/unbind
for i in 1 2 3 4 5 6 7 8 9 10; do
	[ ! -e top-gone.status ] || [ ! -e stat-gone.status ] || break
	sleep 1
done
check "top says that its device is gone" gone top-gone
check "stat says that its device is gone" gone stat-gone
kill "$run" 2>/dev/null
exit 0
