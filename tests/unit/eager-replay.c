// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "onsram_residency.h"
#include "onsram_validate.h"

#include "eager-replay.h"
#include "repertoire.h"

#define GRANULE		ONSRAM_SPM_GRANULE
#define MAX_RULES	ONSRAM_RULES_MAX
#define REPLAY_NETWORKS	4

int unit_allocs_left = -1;

struct tensor {
	struct onsram_residence res;
	bool undefined;		/* dead, and nothing written since */
	uint32_t first_use;
	uint32_t last_use;
};

struct network {
	const struct onsram_program *p;
	struct tensor *tensor;
	uint32_t first_bo;
};

struct replay {
	struct onsram_emit emit;
	struct onsram_spm spm;
	struct onsram_residency_client client;
	struct drm_onsram_stats stats;
	struct onsram_model m;
	struct replay_options opt;
	struct network network[REPLAY_NETWORKS];
	uint32_t nr_networks;
	const struct onsram_program *p;	/* of the network that runs, */
	struct tensor *tensor;		/* its tensors, */
	uint32_t first_bo;		/* and the id of the first one's buffer */
	uint32_t next_bo;
	uint64_t next_va;
	struct onsram_eager *eager;
	struct onsram_rule *rules;
	uint32_t nr_rules;
	bool *assigned;		/* per granule, as the device has it */
	uint64_t history[3];
	struct onsram_recorder *recorder;
	struct onsram_repertoire repertoire;
	uint32_t state;
	const struct onsram_perf_op *op;	/* being pushed */
	struct replay_pass *pass;
	struct replay_pass uncounted;
	uint64_t op_ps;
};

static void charge(struct replay *r, const struct onsram_cost *cost)
{
	r->pass->time_ps += cost->time_ps;
	r->pass->dram_bytes += cost->dram_read_bytes + cost->dram_write_bytes;
}

static uint64_t staging(const struct replay *r)
{
	uint64_t free = 0;

	for (uint32_t g = 0; g < r->spm.granules; g++)
		free += r->assigned[g] ? 0 : GRANULE;
	return free;
}

static void push(struct onsram_emit *emit, const struct onsram_hw_cmd *cmd,
		 const struct onsram_hw_windows *windows, const struct onsram_action *action)
{
	struct replay *r = container_of(emit, struct replay, emit);
	uint64_t resident[ONSRAM_MAX_OPERANDS];
	struct onsram_cost cost;

	/* Rules and steps hold tensors whole */
	assert_null(windows);

	switch (action->kind) {
	case ONSRAM_PUSH_ASSIGN:
		for (uint32_t g = 0; g < action->granules; g++)
			r->assigned[action->start + g] = !(cmd->arg[2] & ONSRAM_ASSIGN_RELEASE);
		break;
	case ONSRAM_PUSH_WRITEBACK:
	case ONSRAM_PUSH_FETCH:
		onsram_copy_cost(&r->m, action->res->bytes, action->kind == ONSRAM_PUSH_WRITEBACK,
				 &cost);
		charge(r, &cost);
		break;
	case ONSRAM_PUSH_OP:
		onsram_resident_slots(resident, action->resident);
		onsram_op_cost(&r->m, r->op, resident, staging(r), &cost);
		charge(r, &cost);
		r->op_ps = cost.time_ps;
		break;
	default:
		/* One engine waits for nobody */
		fail();
	}
}

static uint64_t hash(uint64_t h, const void *data, size_t bytes)
{
	const uint8_t *byte = data;

	while (bytes--)
		h = (h ^ *byte++) * 0x100000001b3ull;
	return h;
}

static uint64_t signature(const struct drm_onsram_op *op)
{
	uint64_t h = hash(0xcbf29ce484222325ull, &op->opcode, sizeof(op->opcode));

	h = hash(h, &op->attr, sizeof(op->attr));
	for (uint32_t s = 0; s < ONSRAM_MAX_OPERANDS; s++)
		h = hash(h, &op->operand[s].view, sizeof(op->operand[s].view));
	return h;
}

static uint64_t next_key(struct replay *r, uint64_t sig)
{
	uint64_t key = hash(sig, r->history, sizeof(r->history));

	r->history[2] = r->history[1];
	r->history[1] = r->history[0];
	r->history[0] = sig;
	return key;
}

static struct onsram_rule *find_rule(struct replay *r, uint32_t state, uint64_t key)
{
	for (uint32_t i = 0; i < r->nr_rules; i++)
		if (r->rules[i].key == key && r->rules[i].state == state)
			return &r->rules[i];
	return NULL;
}

/* As the kernel chooses: the step that is expected, the first one of a sequence, a rule */
static const struct onsram_rule_what *choose_rule(struct replay *r, uint64_t sig, uint64_t key,
						  struct onsram_rule_what *what)
{
	const struct onsram_rule *rule = find_rule(r, r->state, sig);

	if (!rule)
		rule = find_rule(r, ONSRAM_STATE_START, sig);
	r->state = rule ? rule->next : ONSRAM_STATE_START;
	r->pass->steps += !!rule;
	if (!rule)
		rule = find_rule(r, 0, key);
	if (!rule)
		return NULL;
	*what = (struct onsram_rule_what){
		.state = rule->state, .actions = rule->actions, .priority = rule->priority,
	};
	memcpy(what->places, rule->place, sizeof(what->places));
	return what;
}

/* All or nothing, as the kernel does it */
static int tell(void *arg, const struct onsram_rule *rules, uint32_t n, bool gone)
{
	struct replay *r = arg;

	for (uint32_t i = 0; i < n; i++) {
		struct onsram_rule *old = find_rule(r, rules[i].state, rules[i].key);

		if (gone) {
			assert_non_null(old);
			*old = r->rules[--r->nr_rules];
		} else if (old) {
			*old = rules[i];
		} else {
			assert_true(r->nr_rules < MAX_RULES);
			r->rules[r->nr_rules++] = rules[i];
		}
	}
	return 0;
}

static void set_rules(struct replay *r)
{
	struct onsram_rule rule;

	while (onsram_eager_next_rule(r->eager, &rule))
		tell(r, &rule, 1, rule.gone);
}

static void learn_sequence(struct replay *r)
{
	struct onsram_sequence *s = onsram_recorder_take(r->recorder);

	assert_non_null(s);
	assert_in_range(onsram_repertoire_learn(&r->repertoire, s, 0), 0, 1);
	onsram_sequence_free(s);
}

static bool uses(const struct drm_onsram_op *op, uint32_t s)
{
	return op->operand[s].view.dtype != ONSRAM_DTYPE_NONE;
}

static bool is_activation(const struct replay *r, uint32_t t)
{
	return r->p->tensors[t].role == ONSRAM_ROLE_ACTIVATION;
}

static void die(struct replay *r, uint32_t t)
{
	onsram_residency_discard(&r->spm, &r->tensor[t].res);
	r->tensor[t].undefined = true;
	onsram_eager_died(r->eager, r->first_bo + t);
	onsram_recorder_died(r->recorder, r->first_bo + t);
}

/* Behind operation @i what nobody reads again dies, each once */
static void free_activations(struct replay *r, uint32_t i)
{
	const struct drm_onsram_op *op = &r->p->ops[i].op;

	for (uint32_t s = 0; s < ONSRAM_MAX_OPERANDS; s++)
		if (uses(op, s) && is_activation(r, op->operand[s].bo) &&
		    r->tensor[op->operand[s].bo].last_use == i && !r->tensor[op->operand[s].bo].undefined)
			die(r, op->operand[s].bo);
}

static void learn(struct replay *r, const struct drm_onsram_op *op, uint64_t key, uint32_t resident)
{
	struct onsram_retired ev = {
		.client_id = 1, .key = key, .op = *op, .resident = resident, .time_ps = r->op_ps,
	};

	ev.signature = signature(op);
	for (uint32_t s = 0; s < ONSRAM_MAX_OPERANDS; s++) {
		if (!uses(op, s))
			continue;
		ev.bytes[s] = r->p->tensors[ev.op.operand[s].bo].bytes;
		ev.op.operand[s].bo += r->first_bo;
	}
	onsram_eager_observe(r->eager, &ev);
	if (onsram_recorder_op(r->recorder, &ev) && !r->opt.marks)
		learn_sequence(r);
}

/* Slots whose tensor lives from, or to, the end given by @use only: as a graph's analysis tells */
static uint32_t ends_at(const struct replay *r, uint32_t i, bool last)
{
	const struct drm_onsram_op *op = &r->p->ops[i].op;
	uint32_t mask = 0;

	for (uint32_t s = 0; s < ONSRAM_MAX_OPERANDS; s++) {
		const struct tensor *t = &r->tensor[op->operand[s].bo];

		if (uses(op, s) && is_activation(r, op->operand[s].bo) &&
		    i == (last ? t->last_use : t->first_use))
			mask |= 1u << s;
	}
	return mask;
}

static bool reads_output(const struct drm_onsram_op *op)
{
	for (uint32_t s = 1; s < ONSRAM_MAX_OPERANDS; s++)
		if (uses(op, s) && op->operand[s].bo == op->operand[0].bo)
			return true;
	return false;
}

static void run_op(struct replay *r, uint32_t i)
{
	const struct drm_onsram_op *op = &r->p->ops[i].op;
	bool graph = r->opt.policy != DRM_ONSRAM_POLICY_AGENT;
	struct onsram_residency_run run = {
		.client = &r->client, .policy = r->opt.policy, .fallback = DRM_ONSRAM_POLICY_LRU,
	};
	struct onsram_hw_cmd cmd = { .opcode = op->opcode, .attr = op->attr };
	struct onsram_residency_op rop = { .cmd = &cmd, .index = graph ? i : 0 };
	struct onsram_perf_op perf = { .opcode = op->opcode, .attr = op->attr };
	struct tensor *out = &r->tensor[op->operand[0].bo];
	uint64_t key = next_key(r, signature(op));
	struct onsram_rule_what rule;

	for (uint32_t s = 0; s < ONSRAM_MAX_OPERANDS; s++) {
		perf.view[s] = op->operand[s].view;
		cmd.operand[s].view = op->operand[s].view;
		if (!uses(op, s))
			continue;
		rop.res[s] = &r->tensor[op->operand[s].bo].res;
		rop.offset[s] = op->operand[s].offset;
		cmd.operand[s].addr = rop.res[s]->va + rop.offset[s];
	}
	rop.writes_all = onsram_op_writes_all(op, r->p->tensors[op->operand[0].bo].bytes);
	if (graph) {
		rop.born = ends_at(r, i, false);
		rop.dies = ends_at(r, i, true);
	} else if (out->undefined) {
		out->undefined = false;
		rop.born = reads_output(op) ? 0 : 1;
	}
	if (!graph)
		rop.rule = choose_rule(r, signature(op), key, &rule);
	r->op = &perf;
	r->emit.room = 1000;
	onsram_residency_op(&r->spm, &r->emit, &run, &rop);
	if (graph)
		return;
	if (!r->opt.ignorant)
		learn(r, op, key, rop.resident);
	if (!r->opt.late)
		free_activations(r, i);
}

static void use_network(struct replay *r, uint32_t network)
{
	assert_true(network < r->nr_networks);
	r->p = r->network[network].p;
	r->tensor = r->network[network].tensor;
	r->first_bo = r->network[network].first_bo;
}

void replay_pass(struct replay *r, uint32_t network, uint32_t nr_ops, struct replay_pass *pass)
{
	struct drm_onsram_stats before = r->stats;
	uint32_t i;

	use_network(r, network);
	*pass = (struct replay_pass){ 0 };
	r->pass = pass;
	nr_ops = nr_ops ? nr_ops : r->p->nr_ops;
	for (i = 0; i < nr_ops; i++)
		run_op(r, i);
	pass->evictions = r->stats.evictions - before.evictions;
	pass->writebacks = r->stats.writebacks - before.writebacks;
	pass->fetches = r->stats.prefetches - before.prefetches;
	/* Whatever lives yet is freed, and the client reads the outputs: both outside of the pass */
	r->uncounted = (struct replay_pass){ 0 };
	r->pass = &r->uncounted;
	for (i = 0; i < r->p->nr_tensors; i++)
		if (is_activation(r, i) && !r->tensor[i].undefined)
			die(r, i);
	for (i = 0; i < r->p->nr_outputs; i++)
		onsram_residency_clean(&r->spm, &r->emit, &r->tensor[r->p->outputs[i]].res);
	pass->clean_ps = r->uncounted.time_ps;
	if (r->opt.ignorant)
		return;
	set_rules(r);
	if (r->opt.marks && onsram_recorder_mark(r->recorder))
		learn_sequence(r);
}

uint32_t replay_add(struct replay *r, const struct onsram_program *p)
{
	struct network *n = &r->network[r->nr_networks];

	assert_true(r->nr_networks < REPLAY_NETWORKS);
	*n = (struct network){
		.p = p, .first_bo = r->next_bo, .tensor = calloc(p->nr_tensors, sizeof(*n->tensor)),
	};
	assert_non_null(n->tensor);
	r->next_bo += p->nr_tensors;
	for (uint32_t t = 0; t < p->nr_tensors; t++) {
		onsram_residence_init(&n->tensor[t].res, &r->client, r->next_va, p->tensors[t].bytes);
		n->tensor[t].first_use = UINT32_MAX;
		/* As a framework's empty(): DEAD advice on what has just been created */
		n->tensor[t].undefined = p->tensors[t].role == ONSRAM_ROLE_ACTIVATION;
		r->next_va += (p->tensors[t].bytes + 4095) / 4096 * 4096;
	}
	for (uint32_t i = 0; i < p->nr_ops; i++) {
		for (uint32_t s = 0; s < ONSRAM_MAX_OPERANDS; s++) {
			struct tensor *t = &n->tensor[p->ops[i].op.operand[s].bo];

			if (!uses(&p->ops[i].op, s))
				continue;
			t->last_use = i;
			t->first_use = t->first_use == UINT32_MAX ? i : t->first_use;
		}
	}
	return r->nr_networks++;
}

struct replay *replay_new(const struct onsram_model *m, const struct replay_options *opt)
{
	struct replay *r = calloc(1, sizeof(*r));

	assert_non_null(r);
	r->m = *m;
	r->opt = *opt;
	r->next_bo = 1;
	r->next_va = 1 << 20;
	r->emit.push = push;
	r->emit.waits = ONSRAM_EMIT_WAITS;
	r->emit.room = 1000;
	r->client = (struct onsram_residency_client){ .id = 1, .asid = 1, .stats = &r->stats };
	r->state = ONSRAM_STATE_START;
	r->repertoire = (struct onsram_repertoire){ .model = *m, .tell = tell, .arg = r };
	assert_int_equal(onsram_spm_init(&r->spm, m->spm_size, 1), 0);
	r->assigned = calloc(r->spm.granules, sizeof(*r->assigned));
	r->rules = calloc(MAX_RULES, sizeof(*r->rules));
	r->eager = onsram_eager_new();
	r->recorder = onsram_recorder_new();
	assert_true(r->assigned && r->rules && r->eager && r->recorder);
	return r;
}

void replay_free(struct replay *r)
{
	for (uint32_t n = 0; n < r->nr_networks; n++) {
		use_network(r, n);
		for (uint32_t t = 0; t < r->p->nr_tensors; t++)
			onsram_residency_discard(&r->spm, &r->tensor[t].res);
		free(r->tensor);
	}
	onsram_spm_fini(&r->spm);
	onsram_eager_free(r->eager);
	onsram_recorder_free(r->recorder);
	onsram_repertoire_free(&r->repertoire);
	free(r->rules);
	free(r->assigned);
	free(r);
}
