// SPDX-License-Identifier: MIT
#include <stdlib.h>
#include <string.h>

#include "sequence.h"

void onsram_sequence_free(struct onsram_sequence *s)
{
	if (!s)
		return;
	free(s->ops);
	free(s->signature);
	free(s->tensors);
	free(s);
}

/* The slot of operation @i through which it uses @tensor, or -1 */
static int slot_of(const struct onsram_sequence *s, uint32_t i, uint32_t tensor)
{
	for (int k = 0; k < ONSRAM_MAX_OPERANDS; k++) {
		const struct drm_onsram_operand *o = &s->ops[i].operand[k];

		if (o->view.dtype != ONSRAM_DTYPE_NONE && o->bo == tensor)
			return k;
	}
	return -1;
}

/*
 * An interval is carried out where the tensor is used: from its first use in it on
 * it is held, behind its last one it is dropped, but not where it stays for the next
 * pass, nor where it dies: then the client's advice ends it.
 */
static void tell_interval(const struct onsram_sequence *s, const struct onsram_interval *iv,
			  struct onsram_rule *steps)
{
	bool dies = s->tensors[iv->tensor].flags & DRM_ONSRAM_TENSOR_TRANSIENT;
	int slot, last_slot = -1;
	uint32_t last = 0;

	for (uint32_t i = 0; i < s->nr_ops; i++) {
		slot = slot_of(s, i, iv->tensor);
		if (slot < 0)
			continue;
		if (i >= iv->first_op && i <= iv->last_op) {
			steps[i].actions |= ONSRAM_RULE_HOLD(slot);
			steps[i].place[slot] = iv->offset;
			last = i;
			last_slot = slot;
		} else if (i > iv->last_op) {
			/* Used again later: it does not die here */
			dies = false;
		}
	}
	if (last_slot >= 0 && !dies && !(iv->flags & ONSRAM_INTERVAL_KEEP))
		steps[last].actions |= ONSRAM_RULE_DROP(last_slot);
}

/* Whether a plan is certain to pay where everything that it holds is written back. Or -1 */
static int pays_late(const struct onsram_sequence *s, const struct onsram_model *m,
		     const struct onsram_plan *plan)
{
	struct onsram_plan_tensor *tensors = calloc(s->nr_tensors, sizeof(*tensors));
	const struct onsram_plan_graph g = {
		.ops = s->ops, .nr_ops = s->nr_ops, .tensors = tensors, .nr_tensors = s->nr_tensors,
	};
	struct onsram_price price;
	int ret = -1;

	if (!tensors)
		return -1;
	for (uint32_t t = 0; t < s->nr_tensors; t++) {
		tensors[t] = s->tensors[t];
		tensors[t].flags &= ~DRM_ONSRAM_TENSOR_TRANSIENT;
	}
	if (!onsram_plan_price(m, &g, plan->intervals, plan->nr_intervals, false, &price))
		ret = price.time_ps < s->ops_ps;
	free(tensors);
	return ret;
}

int onsram_sequence_steps(const struct onsram_sequence *s, const struct onsram_model *m,
			  uint32_t first, struct onsram_rule *steps)
{
	const struct onsram_plan_graph g = {
		.ops = s->ops, .nr_ops = s->nr_ops, .tensors = s->tensors, .nr_tensors = s->nr_tensors,
	};
	/* What steps can carry out */
	const struct onsram_plan_options opt = { .whole = true, .synchronous = true, .apart = true };
	struct onsram_plan *plan = onsram_plan_static(m, &g, &opt);

	int pays = 1;

	if (plan && s->late)
		pays = pays_late(s, m, plan);
	if (!plan || pays < 1) {
		onsram_plan_free(plan);
		return pays ? -1 : 1;
	}
	for (uint32_t i = 0; i < s->nr_ops; i++)
		steps[i] = (struct onsram_rule){
			.state = i ? first + i : ONSRAM_STATE_START,
			.next = i + 1 < s->nr_ops ? first + i + 1 : ONSRAM_STATE_START,
			.key = s->signature[i],
		};
	for (uint32_t k = 0; k < plan->nr_intervals; k++)
		tell_interval(s, &plan->intervals[k], steps);
	onsram_plan_free(plan);
	return 0;
}
