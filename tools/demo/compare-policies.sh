#!/bin/sh
# SPDX-License-Identifier: MIT
# The main job, in the guest: real networks under every policy, their outputs checked
# against the expected ones, the SPM statistics as sysfs tells them, and a picture.
# Usage: compare-policies.sh [MODEL...]   names in $MODELS, default squeezenet resnet50;
# the first one's picture goes to /share/run.svg
set -u

MODELS=${MODELS:-/models/data/light}

[ $# -gt 0 ] || set -- squeezenet resnet50

status=0 first=
for name in "$@"; do
	model=$(ls "$MODELS"/light_*"$name"*.onnx 2>/dev/null | head -n 1)
	if [ -z "$model" ]; then
		echo "compare-policies: no model called '$name' in $MODELS" >&2
		exit 1
	fi
	first=${first:-$model}
	# Three passes: the eager policy has a history from the second on.
	onsram run "$model" --policy none,lru,static,eager --repeat 3 \
		--expect "${model%.onnx}_output_0.pb" || status=1
	echo
done

spm=$(dirname "$(ls -d /sys/bus/pci/drivers/onsram/*/spm/size | head -n 1)")
echo "SPM statistics ($spm), all of the above:"
for f in "$spm"/*; do
	printf '  %-20s %s\n' "${f##*/}" "$(paste -s -d ' ' "$f")"
done

onsram run "$first" --policy static --repeat 3 --svg /share/run.svg >/dev/null || status=1
exit $status
