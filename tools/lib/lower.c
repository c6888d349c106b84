// SPDX-License-Identifier: MIT
/* The operators the importer knows. */
#include <string.h>

#include "lower.h"

static const struct lower_rule *const families[] = {
	lower_block_rules,
	lower_control_rules,
	lower_conv_rules,
	lower_data_rules,
	lower_deconv_rules,
	lower_einsum_rules,
	lower_elementwise_rules,
	lower_index_rules,
	lower_layout_rules,
	lower_maxpool_rules,
	lower_norm_rules,
	lower_pad_rules,
	lower_product_rules,
	lower_recurrent_rules,
	lower_reduce_rules,
	lower_resize_rules,
	lower_sample_rules,
	lower_select_rules,
	lower_signal_rules,
};

const struct lower_rule *lower_find(const char *op_type, int64_t opset, bool *known)
{
	*known = false;
	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++)
		for (const struct lower_rule *r = families[i]; r->op_type; r++) {
			if (strcmp(r->op_type, op_type))
				continue;
			*known = true;
			if (opset >= r->since && opset <= r->until)
				return r;
		}
	return NULL;
}
