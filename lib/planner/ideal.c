// SPDX-License-Identifier: MIT
/* What a run would cost if the SPM had no end. */
#include <stdlib.h>

#include "flow.h"

int onsram_price_ideal(const struct onsram_model *m, const struct onsram_plan_graph *g,
		       struct onsram_price *price)
{
	struct onsram_flow f;
	int ret = onsram_flow_init(&f, m, g);

	*price = (struct onsram_price){ 0 };
	for (uint32_t i = 0; !ret && i < g->nr_ops; i++) {
		uint64_t resident[ONSRAM_MAX_OPERANDS] = { 0 };
		struct onsram_cost c;

		for (uint32_t s = 0; s < ONSRAM_MAX_OPERANDS; s++) {
			const struct onsram_use *use;
			uint32_t t = g->ops[i].operand[s].bo;

			if (f.slot[i][s] == ONSRAM_NO_USE)
				continue;
			onsram_flow_uses(&f, t, &use);
			/* A source is read where it is used first, a result written where it is made */
			if (g->tensors[t].flags & DRM_ONSRAM_TENSOR_TRANSIENT || (s && use->op != i))
				resident[s] = UINT64_MAX;
		}
		onsram_op_cost(m, &f.ops[i], resident, UINT64_MAX, &c);
		price->time_ps += c.time_ps;
		price->compute_ps += c.compute_ps;
		price->dram_read_bytes += c.dram_read_bytes;
		price->dram_write_bytes += c.dram_write_bytes;
		price->energy_fj += c.energy_fj;
	}
	price->energy_fj += onsram_static_energy_fj(m, price->time_ps);
	onsram_flow_fini(&f);
	return ret;
}

struct onsram_plan *onsram_plan_ideal(const struct onsram_model *m, const struct onsram_plan_graph *g,
				      const struct onsram_plan_options *opt)
{
	struct onsram_plan *plan = onsram_plan_none(m, g, opt);
	struct onsram_price price;

	if (plan && onsram_price_ideal(m, g, &price)) {
		onsram_plan_free(plan);
		return NULL;
	}
	if (plan)
		plan->time_ps = plan->time_ps_again = price.time_ps;
	return plan;
}
