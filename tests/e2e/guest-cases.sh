#!/bin/sh
# SPDX-License-Identifier: MIT
# In the guest: ONNX's small networks with real numbers in and out, under every policy.
# One line per case: status, name, and the last words on standard error.
for case in /models/data/pytorch-converted/*; do
	data=$case/test_data_set_0
	inputs=$(ls "$data"/input_*.pb 2>/dev/null)
	onsram run "$case/model.onnx" --policy all ${inputs:+--input $inputs} \
		--expect "$data"/output_*.pb >/dev/null 2>/tmp/words
	echo "$? ${case##*/} $(tail -n 1 /tmp/words)"
done
