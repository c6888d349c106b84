#!/bin/bash
# SPDX-License-Identifier: MIT
# The command line of `onsram` on a machine without the device: every wrong option
# and file has its message and exit status; planning works. Prints TAP.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 1
ONSRAM=$PWD/${ONSRAM_BIN:-build/host/onsram}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 1
nr=0 bad=0

report()
{
	nr=$((nr + 1))
	if [ "$1" = 0 ]; then
		echo "ok $nr $2"
	else
		echo "not ok $nr $2"
		sed 's/^/# /' out err
		bad=1
	fi
}

# t STATUS TEXT ARGUMENT...: the exit status, and TEXT on standard error
t()
{
	local want=$1 text=$2 got
	shift 2
	"$ONSRAM" "$@" >out 2>err </dev/null
	got=$?
	[ $got = "$want" ] && grep -qF -- "$text" err &&
		{ [ "$want" != 2 ] || grep -q "Try 'onsram.* --help'" err; } && [ ! -s out ]
	report $? "status $want: onsram $*"
}

# good TEXT ARGUMENT...: success, nothing on standard error, TEXT on standard output
good()
{
	local text=$1
	shift
	"$ONSRAM" "$@" >out 2>err </dev/null && grep -qF -- "$text" out && [ ! -s err ]
	report $? "onsram $*"
}

echo "not an ONNX file" >bad.onnx
: >empty.onnx
good "usage: onsram COMMAND" --help
good "usage: onsram run MODEL.onnx" run --help
good "usage: onsram plan MODEL.onnx" plan --help
good "usage: onsram count MODEL.onnx" count --help
good "usage: onsram conformance DIR" conformance --help
good "usage: onsram submit JOB.json" submit --help
good "usage: onsram info" info --help
good "usage: onsram stat" stat --help
good "usage: onsram top" top --help
good "usage: onsram report DIR" report --help
good "usage: onsram diff A.json B.json" diff --help

t 2 "which command?"
t 2 'unknown command "fly"' fly
t 2 "which model?" run
t 2 'unknown policy "fast"' run x.onnx --policy fast
t 2 'unknown policy ""' run x.onnx --policy none,
t 2 "policy lru is named twice" run x.onnx --policy lru,none,lru
t 2 '--repeat is a number from 1' run x.onnx --repeat 0
t 2 '--repeat is a number from 1' run x.onnx --repeat -1
t 2 '--repeat is a number from 1' run x.onnx --repeat 3x
t 2 '--repeat needs an argument' run x.onnx --repeat
t 2 '--dtype is fp32 or fp16, not "int8"' run x.onnx --dtype int8
t 2 '--fuse is on or off' run x.onnx --fuse maybe
t 2 '--rtol is a number' run x.onnx --rtol -1
t 2 '--atol is a number' run x.onnx --atol nan
t 2 'unknown option' run x.onnx --polcy none
t 2 'unknown option' run x.onnx -x
t 2 'one model at a time' run x.onnx y.onnx
t 2 "--svg, --trace and --explain show one policy's places" run x.onnx --policy none,lru --svg x.svg
t 2 "--svg, --trace and --explain show one policy's places" run x.onnx --policy ideal --trace x.json
t 2 "--svg, --trace and --explain show one policy's places" run x.onnx --policy all --explain
t 2 'needs an argument' run x.onnx --trace
t 2 'two files, not 1' diff a.json
t 2 'unknown option' diff a.json b.json --fast
t 1 'a.json: No such file' diff a.json b.json
t 1 'missing.onnx' run missing.onnx
t 1 'bad.onnx' run bad.onnx
t 1 'empty.onnx' run empty.onnx
t 1 "$dir" run "$dir"

t 2 "which folder?" conformance
t 2 'not "b" too' conformance a b
t 2 '--part is K/N' conformance a --part 3/2
t 2 '--part is K/N' conformance a --part 3
t 2 '--part is K/N' conformance a --part 0/3
t 2 'unknown policy "fast"' conformance a --policy fast
t 1 'nowhere: No such file' conformance nowhere
mkdir -p folder
t 1 'folder: no case' conformance folder
mkdir folder/case && cp bad.onnx folder/case/model.onnx
t 1 'no onsram device' conformance folder
t 2 "which model?" plan
t 2 '--shape is NAME=D,D' run x.onnx --shape 1,3
t 2 '--shape is NAME=D,D' run x.onnx --shape =1,3
t 2 'a dimension is a number from 1' run x.onnx --shape x=1,0
t 2 'a dimension is a number from 1' plan x.onnx --shape x=
t 2 'a dimension is a number from 1' plan x.onnx --shape x=1,,3
t 1 'nowhere.pb: No such file' plan x.onnx --input nowhere.pb
t 2 'more than 6 dimensions' plan x.onnx --shape x=1,2,3,4,5,6,7
t 2 '--spm-size is a number of bytes' plan x.onnx --spm-size 2T
t 2 '--spm-size is a number of bytes' plan x.onnx --spm-size -2
t 2 '--spm-size is a number of bytes' plan x.onnx --spm-size 99999999999G
t 2 '--policy is none, static-paper, static or ideal' plan x.onnx --policy lru
t 2 '--policy is none, static-paper, static or ideal' plan x.onnx --policy fast
t 2 '--model is default or paper' plan x.onnx --model exact
t 2 '--graph takes groups=split' plan x.onnx --graph norm=fold,bias=node
t 2 '--spm-bw is a whole number' plan x.onnx --spm-bw 0
t 2 '--vector-flops is a whole number' plan x.onnx --vector-flops 1.5
t 1 'such a device cannot be planned for' plan x.onnx --spm-bw 9999999999999999999
t 2 '--graph takes groups=split' plan x.onnx --graph ''

mkdir suites
printf 'no tab\n' >suites/bad
printf 'gone.onnx\tGone\n' >suites/gone
t 2 'no suite "best": there are none in /nowhere/suites' bench --suite best --folder /nowhere
t 2 'no suite "best": there are bad, gone;' bench --suite best --folder .
t 2 'no suite ""' bench --suite '' --folder .
t 2 'no suite "..": there are bad, gone' bench --suite .. --folder .
t 2 'missing.onnx: No such file' bench --suite missing.onnx
t 2 './suites/gone.onnx: No such file' bench --suite gone --folder .
t 1 'a line is a path, a tab and a title, not "no tab"' bench --suite bad --folder .
t 2 'models go behind --suite' bench x.onnx
t 2 'unknown policy "fast"' bench --policies none,fast
t 2 'policy lru is named twice' bench --policies lru,none,lru
t 2 '--passes is a number from 1' bench --passes 0
t 2 '--dtype is fp32 or fp16' bench --dtype fp8
t 2 '--fuse is on or off' bench --fuse maybe
t 2 '--model is default or paper' bench --model exact
t 2 '--graph takes groups=split' bench --graph layout=nhwc
t 2 'needs an argument' bench --csv
t 2 'needs an argument' bench --svg
t 2 'unknown option' bench --jsn
t 2 '--without takes parts, overlap, constants and overwriting, not "weights"' plan x.onnx --without parts,weights
t 2 '--effort is a number from 1 to 1000' plan x.onnx --effort 0
t 2 "which model?" count
t 2 'unknown option, or an argument where none is taken: --policy' count x.onnx --policy none
t 2 '--dtype is fp32 or fp16' count x.onnx --dtype int8
t 2 '--fuse is on or off' count x.onnx --fuse maybe
t 2 'a dimension is a number from 1' count x.onnx --shape x=0
t 1 'missing.onnx' count missing.onnx
t 1 'bad.onnx' count bad.onnx --json
t 2 '--csv needs --capacity' plan --csv p.csv --output o.csv
t 2 '--csv needs --output' plan --csv p.csv --capacity 12
t 2 '--csv takes no model' plan x.onnx --csv p.csv --capacity 12 --output o.csv
t 2 'go with --csv' plan x.onnx --capacity 12
t 1 'cannot be planned for' plan x.onnx --spm-size 0
t 1 'cannot be planned for' plan x.onnx --spm-size 64K
t 1 'missing.onnx' plan missing.onnx
t 1 'p.csv: No such file' plan --csv p.csv --capacity 12 --output o.csv

csv() { printf '%b' "$1" >p.csv; }
csv ''
t 2 'p.csv: the file is empty' plan --csv p.csv --capacity 12 --output o.csv
csv 'id,lower,size\n'
t 2 'p.csv:1: the first line names no column "upper"' plan --csv p.csv --capacity 12 --output o.csv
csv 'id,lower,upper,size\na,0,2\n'
t 2 'p.csv:2: no column "size"' plan --csv p.csv --capacity 12 --output o.csv
csv 'id,lower,upper,size\na,0,2,4\nb,x,2,4\n'
t 2 'p.csv:3: "x" is no lower' plan --csv p.csv --capacity 12 --output o.csv
csv 'id,lower,upper,size\na,2,2,4\n'
t 2 'p.csv:2: lower is not below upper' plan --csv p.csv --capacity 12 --output o.csv
csv 'id,lower,upper,size\na,2,1,4\n'
t 2 'p.csv:2: lower is not below upper' plan --csv p.csv --capacity 12 --output o.csv
csv 'id,lower,upper,size\na,0,2,0\n'
t 2 'p.csv:2: the size is 0' plan --csv p.csv --capacity 12 --output o.csv
csv 'id,lower,upper,size\na,0,2,13\n'
t 2 'p.csv:2: a size of 13 is more than the capacity' plan --csv p.csv --capacity 12 --output o.csv
csv 'id,lower,upper,size\na,0,2,99999999999999999999\n'
t 2 'p.csv:2: "99999999999999999999" is no size' plan --csv p.csv --capacity 12 --output o.csv
csv 'id,lower,upper,size\na,0,2,-4\n'
t 2 'p.csv:2: "-4" is no size' plan --csv p.csv --capacity 12 --output o.csv
csv 'id,lower,upper,size\n,0,2,4\n'
t 2 'p.csv:2: the id is empty' plan --csv p.csv --capacity 12 --output o.csv
csv 'id,lower,upper,size\na,0,2,4\nb,0,2,4\na,5,6,4\n'
t 2 'p.csv:4: the id "a" is that of line 2, too' plan --csv p.csv --capacity 12 --output o.csv
t 2 '--capacity is at least 1' plan --csv p.csv --capacity 0 --output o.csv
t 2 '--seconds is a number from 1' plan --csv p.csv --capacity 12 --output o.csv --seconds 0
[ ! -e o.csv ]
report $? "no solution file of a problem that is none"
csv 'id,lower,upper,size\na,0,2,8\nb,1,3,8\n'
t 3 'there is no placement of its 2 buffers in 12 bytes; the lowest one found, of 16 bytes, is in o.csv' \
	plan --csv p.csv --capacity 12 --output o.csv
grep -q '^b,1,3,8,8$' o.csv && rm o.csv
report $? "the lowest placement is written"
t 1 '/nowhere/o.csv' plan --csv p.csv --capacity 16 --output /nowhere/o.csv
[ ! -e o.csv ]
report $? "no solution file after a failure"
csv 'size,id,upper,lower,note\r\n8,a,2,0,x\r\n\n8,b,3,1,y\r\n4,c,5,3,z\n'
"$ONSRAM" plan --csv p.csv --capacity 16 --output o.csv >out 2>err &&
	awk -F, 'NR == 1 { ok = $0 == "id,lower,upper,size,offset" }
		NR == 2 { a = $5; ok = ok && $1 == "a" } NR == 3 { b = $5 }
		NR > 1 && $5 + $4 > 16 { ok = 0 }
		END { exit !(ok && NR == 4 && (a + 8 <= b || b + 8 <= a)) }' o.csv
report $? "an allocation problem is solved"

job() { printf '%s' "$1" >job.json; }
tensor='"y": {"dtype": "f32", "dims": [2]}'
t 2 'which job file?' submit
t 2 'one job file at a time' submit a b
t 1 'missing.json' submit missing.json
job '{'
t 1 'job.json: no JSON' submit job.json
job '[]'
t 1 'no JSON object' submit job.json
job '{"tensors": {}, "operations": []}'
t 1 '"tensors" is no object with at least one' submit job.json
job "{\"tensors\": {$tensor}, \"operations\": []}"
t 1 '"operations" is no array with at least one' submit job.json
job "{\"tensors\": {$tensor}, \"operations\": [{\"op\": \"FILL\"}]}"
t 1 'operation 0: operands is no array' submit job.json
job "{\"tensors\": {$tensor}, \"operations\": [{\"op\": \"FLY\", \"operands\": [\"y\"]}]}"
t 1 'operation 0: unknown op "FLY"' submit job.json
job "{\"tensors\": {$tensor}, \"operations\": [{\"op\": \"FILL\", \"operands\": [\"z\"]}]}"
t 1 'operation 0: no tensor "z"' submit job.json
job "{\"tensors\": {$tensor}, \"operations\": [{\"op\": \"POOL\", \"func\": \"MIN\", \"operands\": [\"y\"]}]}"
t 1 'unknown func "MIN"' submit job.json
job "{\"tensors\": {$tensor}, \"operations\": [{\"op\": \"FILL\", \"operands\": [\"y\"], \"kernel\": [70000]}]}"
t 1 'kernel is not from 0 to 65535' submit job.json
job "{\"tensors\": {$tensor}, \"operations\": [{\"op\": \"FILL\", \"operands\": [\"y\"], \"colour\": 1}]}"
t 1 'unknown key "colour"' submit job.json
job '{"tensors": {"y": {"dtype": "f64", "dims": [2]}}, "operations": []}'
t 1 'tensor "y": unknown dtype "f64"' submit job.json
job '{"tensors": {"y": {"dtype": "f32", "dims": [0]}}, "operations": []}'
t 1 'tensor "y": dims is not from 1' submit job.json
job '{"tensors": {"y": {"dtype": "f32", "dims": [100000, 100000]}}, "operations": []}'
t 1 'tensor "y": more than' submit job.json
job '{"tensors": {"y": {"dtype": "f32", "dims": [2], "data": [1]}}, "operations": []}'
t 1 'data is no array of 2 numbers' submit job.json
job '{"tensors": {"y": {"dtype": "f32", "dims": [2], "data": [1, "a"]}}, "operations": []}'
t 1 'data[1] is no number' submit job.json
job '{"tensors": {"y": {"file": "missing.pb"}}, "operations": []}'
t 1 'missing.pb' submit job.json
job "{\"policy\": \"best\", \"tensors\": {$tensor}, \"operations\": []}"
t 1 'unknown policy "best"' submit job.json

t 2 'takes no argument' info now
t 2 'unknown option' info --jsn
t 2 'takes no argument' stat now
t 2 '--interval is a number from 1 to 3600' stat --watch --interval 0
t 2 '--count is a number of at least 1' stat --count 0
t 2 '--prometheus is one look' stat --prometheus --watch
t 2 '--prometheus is one look' stat --prometheus --json
t 2 '--output goes with --prometheus' stat --output x
t 2 'takes no argument such as "x"' top x
t 2 '--interval is a number from 1 to 3600, not "3601"' top --interval 3601
t 2 '--count is a number of at least 1, not "0"' top --count 0
if [ ! -d /sys/class/accel ] || ! ls /sys/class/accel/accel* >/dev/null 2>&1; then
	job "{\"tensors\": {$tensor}, \"operations\": [{\"op\": \"FILL\", \"operands\": [\"y\"], \"value\": 2}]}"
	t 1 'no onsram device' submit job.json
	t 1 'is the module loaded?' info
	t 1 'no onsram device' stat
	t 1 'no onsram device' top --batch
fi

"$ONSRAM" run --help >/dev/full 2>err
[ $? = 1 ] && grep -q 'standard output cannot be written' err
report $? "a full disk is noticed"

echo "1..$nr"
exit $bad
