// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <linux/bits.h>
#include <linux/err.h>
#include <linux/onsram_netlink.h>

#include "onsram_plan.h"
#include "ring-sim.h"

#define GRANULE		ONSRAM_SPM_GRANULE
#define VA_OF(t)	(((u64)(t) + 1) << 20)

int unit_allocs_left = -1;

u32 ring_upto(struct ring_sim *sim, u32 n)
{
	return rnd(&sim->seed) % n;
}

static u64 mix(u64 hash, u64 value)
{
	hash = (hash ^ value) * 0x9e3779b97f4a7c15ull;
	return hash ^ hash >> 29;
}

/* Where part @part behind an address lies */
static u64 *resolve(const struct ring_sim *sim, struct ring_memory *memory, u64 addr, u32 part, u32 asid)
{
	u64 granule = (addr & ~ONSRAM_ADDR_SPM) / GRANULE + part;

	if (!(addr & ONSRAM_ADDR_SPM)) {
		u32 t = (addr >> 20) - 1;

		assert_true(t < RING_TENSORS);
		assert_int_equal(sim->res[t].client->asid, asid);
		return &memory->home[t][(addr & 0xfffff) / GRANULE + part];
	}
	assert_true(granule < RING_GRANULES);
	return memory->owner[granule] == asid ? &memory->spm[granule] : NULL;
}

static bool execute_assign(struct ring_memory *memory, const struct onsram_hw_cmd *cmd)
{
	u64 from = cmd->arg[0] / GRANULE, to = from + cmd->arg[1] / GRANULE;

	assert_true(from < to && to <= RING_GRANULES);
	for (u64 g = from; g < to; g++) {
		if (cmd->arg[2] & ONSRAM_ASSIGN_SCRUB)
			memory->spm[g] = 0;
		memory->owner[g] = cmd->arg[2] & ONSRAM_ASSIGN_RELEASE ? 0 : cmd->asid;
	}
	return true;
}

static bool execute_copy(const struct ring_sim *sim, struct ring_memory *memory, const struct ring_cmd *c)
{
	u32 parts = c->cmd.operand[0].view.dims[0] * 4 / GRANULE;

	for (u32 p = 0; p < parts; p++) {
		u64 *to = resolve(sim, memory, c->cmd.operand[0].addr, p, c->cmd.asid);
		u64 *from = resolve(sim, memory, c->cmd.operand[1].addr, p, c->cmd.asid);

		if (!to || !from)
			return false;
		*to = *from;
	}
	return true;
}

/* Where part @part of an operand lies */
static u64 *resolve_slot(const struct ring_sim *sim, struct ring_memory *memory, const struct ring_cmd *c,
			 u32 s, u32 part)
{
	const struct onsram_hw_window *w = &c->windows.slot[s];
	u64 addr = c->cmd.operand[s].addr + (u64)part * GRANULE;

	if ((c->cmd.flags & ONSRAM_CMDF_WINDOWS) && addr >= w->va && addr < w->va + w->bytes)
		addr = ONSRAM_ADDR_SPM | (w->spm + addr - w->va);
	return resolve(sim, memory, addr, 0, c->cmd.asid);
}

static bool execute_op(const struct ring_sim *sim, struct ring_memory *memory, const struct ring_cmd *c,
		       u64 *inputs)
{
	const struct ring_slice *out = &c->operand[0];
	u64 hash = c->action.stamp;

	for (u32 s = 0; s < ONSRAM_MAX_OPERANDS; s++)
		for (u32 p = 0; c->operand[s].tensor >= 0 && p < c->operand[s].parts; p++) {
			u64 *data = resolve_slot(sim, memory, c, s, p);

			if (!data)
				return false;
			/* What is read before the tensor's first use is anything */
			if (s && !(c->action.born & BIT(s)))
				hash = mix(hash, *data);
		}
	*inputs = hash;
	for (u32 p = 0; p < out->parts; p++)
		*resolve_slot(sim, memory, c, 0, p) = mix(hash, p);
	return true;
}

bool ring_execute(const struct ring_sim *sim, struct ring_memory *memory, const struct ring_cmd *c,
		  u64 *inputs)
{
	switch (c->action.kind) {
	case ONSRAM_PUSH_OP:
		return execute_op(sim, memory, c, inputs);
	case ONSRAM_PUSH_ASSIGN:
		return execute_assign(memory, &c->cmd);
	case ONSRAM_PUSH_WAIT:
		return true;
	default:
		return execute_copy(sim, memory, c);
	}
}

/* Does the output lie where another tensor's input does? */
static bool lies_over(const struct ring_cmd *c)
{
	const struct onsram_hw_operand *out = &c->cmd.operand[0], *in;

	for (in = out + 1; in < out + ONSRAM_MAX_OPERANDS; in++)
		if (out->addr & in->addr & ONSRAM_ADDR_SPM && in->view.dtype && in->addr == out->addr)
			return true;
	return false;
}

static void ring_push(struct onsram_emit *emit, const struct onsram_hw_cmd *cmd,
		      const struct onsram_hw_windows *windows, const struct onsram_action *action)
{
	struct ring_sim *sim = container_of(emit, struct ring_sim, emit);
	struct ring_engine *engine = &sim->engine[action->engine];
	struct ring_cmd *c;

	assert_true(action->engine == emit->engine || action->engine == emit->mover);
	assert_true(engine->pushed < RING_ENTRIES);
	c = &engine->ring[engine->pushed++];
	*c = (struct ring_cmd){ .cmd = *cmd, .action = *action };
	assert_int_equal(!!windows, !!(cmd->flags & ONSRAM_CMDF_WINDOWS));
	if (windows) {
		c->windows = *windows;
		sim->windows++;
	}
	/* An engine's sequences count its commands, so that its position is its semaphore */
	assert_int_equal(cmd->seq, engine->pushed);
	assert_int_equal(cmd->signal_sem, action->engine);
	assert_int_equal(cmd->signal_value, cmd->seq);
	sim->nops += action->kind == ONSRAM_PUSH_WAIT;
	if (action->kind == ONSRAM_PUSH_OP)
		sim->over += lies_over(c);
	if (action->kind == ONSRAM_PUSH_OP)
		memcpy(c->operand, sim->cur, sizeof(c->operand));
	if (action->kind == ONSRAM_PUSH_OP)
		sim->aware[sim->cur[0].tensor] = false;
	assert_true(ring_execute(sim, &sim->truth, c, &c->expect));
}

void ring_init(struct ring_sim *sim, u32 nr_engines, u32 seed)
{
	memset(sim, 0, sizeof(*sim));
	sim->seed = seed * 2654435761u + 1;
	sim->nr_engines = nr_engines;
	sim->emit.push = ring_push;
	assert_int_equal(onsram_spm_init(&sim->spm, (u64)RING_GRANULES * GRANULE, nr_engines), 0);
	for (u32 c = 0; c < RING_CLIENTS; c++)
		sim->client[c] = (struct onsram_residency_client){ 100 + c, 1 + c, &sim->stats[c] };
	for (u32 t = 0; t < RING_TENSORS; t++) {
		sim->nr_parts[t] = 1 + ring_upto(sim, RING_PARTS);
		onsram_residence_init(&sim->res[t], &sim->client[t % RING_CLIENTS], VA_OF(t),
				      (u64)sim->nr_parts[t] * GRANULE);
		for (u32 p = 0; p < RING_PARTS; p++)
			sim->memory.home[t][p] = mix(t, p);
	}
	sim->truth = sim->memory;
	for (u32 e = 0; e < nr_engines; e++)
		sim->engine[e].ring = calloc(RING_ENTRIES, sizeof(*sim->engine[e].ring));
}

void ring_fini(struct ring_sim *sim)
{
	while (ring_step(sim))
		;
	for (u32 e = 0; e < sim->nr_engines; e++) {
		assert_int_equal(sim->engine[e].retired, sim->engine[e].pushed);
		free(sim->engine[e].ring);
	}
	for (u32 t = 0; t < RING_TENSORS; t++)
		onsram_residency_discard(&sim->spm, &sim->res[t]);
	onsram_spm_fini(&sim->spm);
}

static void ring_emit(struct ring_sim *sim, u32 engine, u32 mover)
{
	/* at times no room but for one last wait for all there is */
	sim->waits = ring_upto(sim, 3) ? ONSRAM_EMIT_WAITS : 2 * sim->nr_engines;
	sim->emit.engine = engine;
	sim->emit.mover = mover;
	sim->emit.room = ring_upto(sim, 4) ? 100 : ring_upto(sim, 4);
	sim->emit.waits = sim->waits;
	sim->nops = 0;
}

static struct onsram_residence *tensor_at(const struct onsram_residency_run *run, u32 index)
{
	struct ring_sim *sim = container_of(run->client, struct ring_sim, client[run->client->asid - 1]);

	return &sim->res[index];
}

/* Operands of an operation of a job, and those of them that are TRANSIENT and begin or end with it */
struct ring_operands {
	struct ring_slice slice[ONSRAM_MAX_OPERANDS];
	u32 born;
	u32 dies;
};

static struct ring_operands random_operands(struct ring_sim *sim, u32 client)
{
	u32 slots = 1 + ring_upto(sim, 3);
	struct ring_operands op = {};

	for (u32 s = 0; s < ONSRAM_MAX_OPERANDS; s++) {
		struct ring_slice *slice = &op.slice[s];
		u32 t = client + RING_CLIENTS * ring_upto(sim, RING_TENSORS / RING_CLIENTS);

		slice->tensor = -1;
		if (s >= slots)
			continue;
		*slice = (struct ring_slice){ t, 0, sim->nr_parts[t] };
		if (ring_upto(sim, 3) == 0) {
			slice->first = ring_upto(sim, sim->nr_parts[t]);
			slice->parts = 1 + ring_upto(sim, sim->nr_parts[t] - slice->first);
		}
	}
	return op;
}

/* Slots in which an operation has a tensor */
static u32 slots_of(const struct ring_operands *op, int tensor)
{
	u32 mask = 0;

	for (u32 s = 0; s < ONSRAM_MAX_OPERANDS; s++)
		if (op->slice[s].tensor == tensor)
			mask |= BIT(s);
	return mask;
}

/* Tensors that live within the job: an operation makes them, and the last one that has them is their end */
static void random_lives(struct ring_sim *sim, struct ring_operands *ops, u32 n,
			 struct onsram_plan_tensor *tensors)
{
	for (u32 t = 0; t < RING_TENSORS; t++) {
		u32 first = 0, last = n;

		while (first < n && !slots_of(&ops[first], t))
			first++;
		if (first == n || slots_of(&ops[first], t) != BIT(0) || !ring_upto(sim, 4))
			continue;
		tensors[t].flags = DRM_ONSRAM_TENSOR_TRANSIENT;
		while (!slots_of(&ops[--last], t))
			;
		ops[first].born |= BIT(0);
		ops[last].dies |= slots_of(&ops[last], t);
	}
}

/* Parts of tensors, as the check lets them pass; NULL where it never does */
static struct onsram_plan *random_plan(struct ring_sim *sim, u32 client, struct ring_operands *ops, u32 n)
{
	struct onsram_plan_tensor tensors[RING_TENSORS] = {};
	struct drm_onsram_op uops[RING_JOB_OPS];
	struct onsram_plan_graph graph = { uops, n, tensors, RING_TENSORS };
	struct onsram_plan_interval iv[6];
	struct onsram_plan *plan = NULL;
	u32 nr = 0;

	for (u32 t = 0; t < RING_TENSORS; t++)
		tensors[t].bytes = sim->res[t].bytes;
	if (sim->lives)
		random_lives(sim, ops, n, tensors);
	for (u32 i = 0; i < n; i++) {
		uops[i] = make_op(ONSRAM_OP_COPY, 0);
		for (u32 s = 0; s < ONSRAM_MAX_OPERANDS && ops[i].slice[s].tensor >= 0; s++) {
			operand(&uops[i], s, VIEW(I32, ops[i].slice[s].parts * GRANULE / 4));
			uops[i].operand[s].bo = ops[i].slice[s].tensor;
		}
	}
	for (u32 tries = 0; tries < 20 && nr < 6; tries++) {
		u32 first_op = ring_upto(sim, n), last_op = first_op + ring_upto(sim, n - first_op);
		u32 t = client + RING_CLIENTS * ring_upto(sim, RING_TENSORS / RING_CLIENTS);
		u32 first = ring_upto(sim, sim->nr_parts[t]);
		struct onsram_plan *next;
		const char *why;

		/* in places that suit every part, so that parts of a tensor meet */
		iv[nr] = (struct onsram_plan_interval){
			.tensor = t, .first_op = first_op, .last_op = last_op,
			.flags = ring_upto(sim, 2) * ONSRAM_INTERVAL_FETCH |
				 (ring_upto(sim, 3) == 0) * ONSRAM_INTERVAL_OVERWRITE |
				 (last_op == n - 1) * ring_upto(sim, 2) * ONSRAM_INTERVAL_KEEP,
			.offset = (ring_upto(sim, 2) * RING_PARTS + first) * GRANULE,
			.bytes = (1 + ring_upto(sim, sim->nr_parts[t] - first)) * GRANULE,
			.begin = first * GRANULE,
			.reserve_op = first_op, .release_op = last_op + 1 + ring_upto(sim, n - last_op),
		};
		if (iv[nr].flags & ONSRAM_INTERVAL_FETCH)
			iv[nr].reserve_op -= ring_upto(sim, first_op + 1);
		next = onsram_plan_build(iv, nr + 1, &graph, (u64)RING_GRANULES * GRANULE, &why);
		if (IS_ERR(next))
			continue;
		onsram_plan_put(plan);
		plan = next;
		nr++;
	}
	return plan;
}

static void push_op(struct ring_sim *sim, const struct onsram_residency_run *run,
		    const struct ring_operands *operands, u32 index)
{
	struct onsram_hw_cmd cmd = {
		.opcode = ring_upto(sim, 2) ? ONSRAM_OP_CONV : ONSRAM_OP_ELEMENTWISE,
	};
	const struct onsram_rule_what rule = {
		.actions = ring_upto(sim, 1 << 14) & 0x0707,
		.priority = ring_upto(sim, 3),
	};
	struct onsram_residency_op op = {
		.cmd = &cmd,
		.index = index,
		.rule = ring_upto(sim, 4) ? &rule : NULL,
		.born = operands->born,
		.dies = operands->dies,
	};

	for (u32 s = 0; s < ONSRAM_MAX_OPERANDS; s++) {
		const struct ring_slice *slice = &operands->slice[s];

		sim->cur[s] = *slice;
		if (slice->tensor < 0)
			continue;
		op.res[s] = &sim->res[slice->tensor];
		op.offset[s] = slice->first * GRANULE;
		cmd.operand[s].addr = op.res[s]->va + op.offset[s];
		cmd.operand[s].view = VIEW(I32, slice->parts * GRANULE / 4);
	}
	op.writes_all = sim->cur[0].parts == sim->nr_parts[sim->cur[0].tensor];
	onsram_residency_op(&sim->spm, &sim->emit, run, &op);
}

/* Operations one after the other, once or twice, with a plan or without */
static void random_ops(struct ring_sim *sim, u32 policy)
{
	u32 client = ring_upto(sim, RING_CLIENTS), n = 1 + ring_upto(sim, RING_JOB_OPS);
	struct ring_operands ops[RING_JOB_OPS];
	struct onsram_residency_run run = {
		.client = &sim->client[client],
		.policy = policy,
		.fallback = DRM_ONSRAM_POLICY_LRU,
		.tensor = tensor_at,
	};
	struct onsram_plan *plan = NULL;

	for (u32 i = 0; i < n; i++)
		ops[i] = random_operands(sim, client);
	if (policy == DRM_ONSRAM_POLICY_AGENT && ring_upto(sim, 4))
		plan = random_plan(sim, client, ops, n);
	run.plan = plan;
	for (u32 i = 0; i < n; i++)
		push_op(sim, &run, &ops[i], i);
	onsram_plan_put(plan);
}

void ring_begin(struct ring_sim *sim, u32 engine, u32 waits)
{
	sim->waits = waits;
	sim->nops = 0;
	sim->emit = (struct onsram_emit){ ring_push, engine, engine, 100, waits };
}

void ring_op(struct ring_sim *sim, int out, int in, int other)
{
	struct onsram_residency_run run = {
		.client = sim->res[out].client,
		.policy = DRM_ONSRAM_POLICY_LRU,
	};
	struct onsram_hw_cmd cmd = { .opcode = ONSRAM_OP_ELEMENTWISE };
	struct onsram_residency_op op = { .cmd = &cmd, .writes_all = true };
	const int tensor[ONSRAM_MAX_OPERANDS] = { out, in, other, -1, -1, -1 };

	for (u32 s = 0; s < ONSRAM_MAX_OPERANDS; s++) {
		int t = tensor[s];

		sim->cur[s] = (struct ring_slice){ .tensor = t };
		if (t < 0)
			continue;
		sim->cur[s].parts = sim->nr_parts[t];
		op.res[s] = &sim->res[t];
		cmd.operand[s].addr = op.res[s]->va;
		cmd.operand[s].view = VIEW(I32, sim->nr_parts[t] * GRANULE / 4);
	}
	onsram_residency_op(&sim->spm, &sim->emit, &run, &op);
}

void ring_fetch(struct ring_sim *sim, u32 tensor)
{
	u32 copy = sim->nr_engines - 1;

	sim->emit = (struct onsram_emit){ ring_push, copy, copy, 100, ONSRAM_EMIT_WAITS };
	onsram_residency_fetch(&sim->spm, &sim->emit, &sim->res[tensor]);
}

void ring_job(struct ring_sim *sim)
{
	static const u32 policies[] = {
		DRM_ONSRAM_POLICY_NONE, DRM_ONSRAM_POLICY_LRU, DRM_ONSRAM_POLICY_AGENT, DRM_ONSRAM_POLICY_AGENT,
	};
	struct onsram_residence *res = &sim->res[ring_upto(sim, RING_TENSORS)];
	u32 copy = sim->nr_engines - 1, engine = ring_upto(sim, copy);

	switch (ring_upto(sim, 8)) {
	case 0:
		ring_emit(sim, copy, copy);
		onsram_residency_clean(&sim->spm, &sim->emit, res);
		break;
	case 1:
		ring_emit(sim, copy, copy);
		onsram_residency_fetch(&sim->spm, &sim->emit, res);
		break;
	case 2:
		ring_emit(sim, copy, copy);
		onsram_residency_evict(&sim->spm, &sim->emit, res);
		break;
	default:
		ring_emit(sim, engine, ring_upto(sim, 2) ? copy : engine);
		random_ops(sim, policies[ring_upto(sim, 4)]);
	}
	/* the rings had room for them */
	assert_true(sim->nops <= sim->waits);
}

bool ring_runnable(const struct ring_sim *sim, const u32 *run, u32 engine)
{
	const struct onsram_hw_cmd *cmd = &sim->engine[engine].ring[run[engine]].cmd;

	if (run[engine] == sim->engine[engine].pushed)
		return false;
	return !(cmd->flags & ONSRAM_CMDF_WAIT) || run[cmd->wait_sem] >= cmd->wait_value;
}

static bool run_one(struct ring_sim *sim, u32 e)
{
	struct ring_engine *engine = &sim->engine[e];
	u32 run[ONSRAM_MAX_ENGINES];
	struct ring_cmd *c;
	u64 inputs = 0;

	for (u32 i = 0; i < sim->nr_engines; i++)
		run[i] = sim->engine[i].run;
	if (!ring_runnable(sim, run, e))
		return false;
	c = &engine->ring[engine->run++];
	c->failed = c->action.stamp == sim->fail_at ||
		    (sim->fail_one_in && ring_upto(sim, sim->fail_one_in) == 0) ||
		    !ring_execute(sim, &sim->memory, c, &inputs);
	c->misread = inputs != c->expect;
	return true;
}

static void note_dirty(const struct ring_sim *sim, bool *dirty)
{
	for (u32 t = 0; t < RING_TENSORS; t++)
		dirty[t] = sim->res[t].state == DRM_ONSRAM_RESIDENCY_DIRTY;
}

/* Who was dirty and is nowhere now has no home with the truth in it */
static void forget_lost(struct ring_sim *sim, const bool *dirty)
{
	for (u32 t = 0; t < RING_TENSORS; t++) {
		if (!dirty[t] || sim->res[t].state != DRM_ONSRAM_RESIDENCY_NONE)
			continue;
		assert_true(onsram_residency_is_lost(&sim->res[t]));
		for (u32 p = 0; p < RING_PARTS; p++)
			sim->truth.home[t][p] = mix(sim->spm.order.stamp, p);
	}
}

static void retire(struct ring_sim *sim, struct ring_cmd *c)
{
	struct onsram_residence *operands[ONSRAM_MAX_OPERANDS] = {};
	bool dirty[RING_TENSORS];
	int ret;

	note_dirty(sim, dirty);
	for (u32 s = 0; s < ONSRAM_MAX_OPERANDS; s++)
		if (c->action.kind == ONSRAM_PUSH_OP && c->operand[s].tensor >= 0)
			operands[s] = &sim->res[c->operand[s].tensor];
	ret = onsram_retire(&sim->spm, &c->action, operands, c->failed);
	forget_lost(sim, dirty);
	if (c->action.kind != ONSRAM_PUSH_OP || c->failed)
		return;
	if (c->misread)
		assert_int_equal(ret, -EIO);
	else
		sim->false_alarms += !!ret;
}

static bool retire_one(struct ring_sim *sim, u32 e)
{
	struct ring_engine *engine = &sim->engine[e];
	struct ring_cmd *c = &engine->ring[engine->retired];

	if (engine->retired == engine->run || !onsram_order_ready(&sim->spm.order, &c->cmd))
		return false;
	engine->retired++;
	retire(sim, c);
	return true;
}

bool ring_step(struct ring_sim *sim)
{
	u32 start = ring_upto(sim, sim->nr_engines);

	/* Accounting lags behind */
	for (u32 kind = ring_upto(sim, 2), both = 0; both < 2; both++, kind = !kind)
		for (u32 i = 0; i < sim->nr_engines; i++) {
			u32 e = (start + i) % sim->nr_engines;

			if (kind ? run_one(sim, e) : retire_one(sim, e))
				return true;
		}
	return false;
}

void ring_reset(struct ring_sim *sim)
{
	bool dirty[RING_TENSORS], more = true;

	while (more) {
		more = false;
		for (u32 e = 0; e < sim->nr_engines; e++)
			more |= retire_one(sim, e);
	}
	for (u32 e = 0; e < sim->nr_engines; e++) {
		struct ring_engine *engine = &sim->engine[e];

		assert_int_equal(engine->retired, engine->run);
		while (engine->retired < engine->pushed) {
			struct ring_cmd *c = &engine->ring[engine->retired++];

			c->failed = true;
			retire(sim, c);
		}
		engine->run = engine->pushed;
	}
	memset(sim->memory.spm, 0, sizeof(sim->memory.spm));
	memset(sim->memory.owner, 0, sizeof(sim->memory.owner));
	/* what is pushed from here on finds the same */
	memcpy(sim->truth.owner, sim->memory.owner, sizeof(sim->truth.owner));
	note_dirty(sim, dirty);
	onsram_residency_reset(&sim->spm);
	forget_lost(sim, dirty);
}

static void wait_for(struct ring_sim *sim, bool write, u32 tensor)
{
	struct onsram_needs needs = {};

	onsram_residency_needs(&sim->res[tensor], write, &needs);
	while (!onsram_needs_met(&sim->spm.order, &needs))
		assert_true(ring_step(sim));
}

void ring_cpu_reads(struct ring_sim *sim, u32 tensor)
{
	struct onsram_residence *res = &sim->res[tensor];
	u32 copy = sim->nr_engines - 1;

	ring_emit(sim, copy, copy);
	sim->emit.room = 1;
	assert_int_equal(onsram_residency_clean(&sim->spm, &sim->emit, res), 0);
	wait_for(sim, false, tensor);
	if (onsram_residency_is_lost(res)) {
		assert_true(onsram_residency_tell(res) || sim->aware[tensor]);
		assert_false(onsram_residency_tell(res));
		sim->aware[tensor] = true;
		return;
	}
	assert_false(onsram_residency_tell(res));
	for (u32 p = 0; p < sim->nr_parts[tensor]; p++)
		if (sim->memory.home[tensor][p] != sim->truth.home[tensor][p])
			fail_msg("tensor %u holds stale contents, and nobody was told", tensor);
}

void ring_cpu_writes(struct ring_sim *sim, u32 tensor)
{
	wait_for(sim, true, tensor);
	onsram_residency_written(&sim->spm, &sim->res[tensor]);
	sim->aware[tensor] = false;
	for (u32 p = 0; p < sim->nr_parts[tensor]; p++) {
		sim->memory.home[tensor][p] = mix(sim->seed, p);
		sim->truth.home[tensor][p] = sim->memory.home[tensor][p];
	}
}
