// SPDX-License-Identifier: MIT
/* A run's time when transfers may be cut at any byte. */
#include <stdlib.h>
#include <string.h>

#include "relax.h"

struct onsram_relax_log {
	uint32_t index;
	struct onsram_relax_op op;
};

static double most(double a, double b)
{
	return a > b ? a : b;
}

static double least(double a, double b)
{
	return a < b ? a : b;
}

static uint64_t cost_dram(const struct onsram_cost *c)
{
	return c->dram_read_bytes + c->dram_write_bytes;
}

/* Whether what is held above @level before use @u was written while it stayed */
static bool dirty_above(const struct onsram_relax *r, uint32_t t, uint32_t u, uint32_t level)
{
	for (;; u--) {
		if (r->f->use[u].slots & 1)
			return true;
		if (u == r->f->first[t] || r->hold[u - 1] <= level)
			return false;
	}
}

bool onsram_relax_spills(const struct onsram_relax *r, uint32_t t, uint32_t u)
{
	bool transient = r->f->g->tensors[t].flags & DRM_ONSRAM_TENSOR_TRANSIENT;

	return r->hold[u] < onsram_relax_served(r, t, u) && dirty_above(r, t, u, r->hold[u]) &&
	       (u + 1 < r->f->first[t + 1] || !transient);
}

/* The operation that wrote a tensor before a use, or had it in the SPM to be written back; -1: none */
static int64_t written(const struct onsram_relax *r, uint32_t t, uint32_t u)
{
	for (; u > r->f->first[t]; u--)
		if ((r->f->use[u - 1].slots & 1) || onsram_relax_spills(r, t, u - 1))
			return r->f->use[u - 1].op;
	return -1;
}

bool onsram_relax_movable(const struct onsram_relax *r, uint32_t i, uint32_t s)
{
	uint32_t u = r->f->slot[i][s], t;

	if (!s || u == ONSRAM_NO_USE || (r->f->use[u].slots & 1) ||
	    (r->f->ops[i].opcode == ONSRAM_OP_GATHER && s == 1))
		return false;
	t = r->f->g->ops[i].operand[s].bo;
	/* What follows a part that stays would need the place behind it */
	if (onsram_relax_served(r, t, u) ||
	    (!r->constants && (r->f->g->tensors[t].flags & DRM_ONSRAM_TENSOR_CONST)))
		return false;
	/* Written just before: there is no time to bring it back */
	return written(r, t, u) + 1 < (int64_t)i;
}

/* Whether an operation's output may leave behind it */
static bool defers(const struct onsram_relax *r, uint32_t i)
{
	uint32_t u = r->f->slot[i][0], t;

	if (u == ONSRAM_NO_USE)
		return false;
	t = r->f->g->ops[i].operand[0].bo;
	return !onsram_relax_served(r, t, u) && !onsram_flow_fetches(r->f, t, i) &&
	       (u + 1 == r->f->first[t + 1] || r->f->use[u + 1].op > i + 1);
}

/* The smallest window that needs no more traffic than @wide */
static double window_of(const struct onsram_relax *r, uint32_t i, const uint64_t *resident, uint64_t wide,
			uint64_t dram)
{
	uint64_t low = ONSRAM_STAGING_MIN, high = wide;
	struct onsram_cost c;

	while (high - low > ONSRAM_SPM_GRANULE) {
		uint64_t mid = (low + high) / 2;

		onsram_op_cost(r->f->m, &r->f->ops[i], resident, mid, &c);
		if (cost_dram(&c) > dram)
			low = mid;
		else
			high = mid;
	}
	return (double)high;
}

/* Operands' residency, and the window that is left, to costs */
static void price_op(struct onsram_relax *r, uint32_t i)
{
	const struct drm_onsram_op *op = &r->f->g->ops[i];
	uint64_t resident[ONSRAM_MAX_OPERANDS] = { 0 };
	uint64_t wide = onsram_staging(r->f->m, r->op[i].taken);
	struct onsram_relax_op *o = &r->op[i];
	struct onsram_cost c;
	uint64_t out;

	o->movable = 0;
	for (uint32_t s = 0; s < ONSRAM_MAX_OPERANDS; s++) {
		uint32_t u = r->f->slot[i][s], t = op->operand[s].bo;

		if (u == ONSRAM_NO_USE)
			continue;
		resident[s] = onsram_slot_resident(&op->operand[s].view, op->operand[s].offset, 0,
						   onsram_relax_served(r, t, u));
		if (onsram_relax_movable(r, i, s))
			o->movable += (double)(onsram_view_bytes(&op->operand[s].view) - resident[s]);
	}
	onsram_op_cost(r->f->m, &r->f->ops[i], resident, wide, &c);
	o->floor = (double)(c.compute_ps > c.spm_ps ? c.compute_ps : c.spm_ps);
	o->dram = (double)cost_dram(&c);
	out = c.dram_write_bytes;
	o->out = defers(r, i) ? (double)out : 0;
	o->dram_narrow = o->dram;
	o->window = ONSRAM_STAGING_MIN;
	if ((op->opcode == ONSRAM_OP_GEMM || op->opcode == ONSRAM_OP_CONV) && wide > ONSRAM_STAGING_MIN) {
		uint64_t dram = cost_dram(&c);

		onsram_op_cost(r->f->m, &r->f->ops[i], resident, ONSRAM_STAGING_MIN, &c);
		o->dram_narrow = (double)cost_dram(&c);
		if (cost_dram(&c) > dram)
			o->window = window_of(r, i, resident, wide, dram);
	}
	o->movable = least(o->movable, o->dram - (double)out);
}

static double held_bytes(const struct onsram_relax *r, uint32_t t, uint32_t granules)
{
	uint64_t bytes = r->f->g->tensors[t].bytes;

	return (double)(granules < bytes ? granules : bytes);
}

/* Transfers at an operation for stays that begin and end there */
static void price_stays(struct onsram_relax *r, uint32_t i)
{
	struct onsram_relax_op *o = &r->op[i];

	o->fetch = 0;
	o->refetch = 0;
	o->spill = 0;
	for (uint32_t s = 0; s < ONSRAM_MAX_OPERANDS; s++) {
		uint32_t u = r->f->slot[i][s], t = r->f->g->ops[i].operand[s].bo, before, served;

		if (u == ONSRAM_NO_USE || (r->f->use[u].slots & ((1u << s) - 1)))
			continue;
		before = u > r->f->first[t] ? r->hold[u - 1] : 0;
		served = onsram_relax_served(r, t, u);
		if (served > before && onsram_flow_fetches(r->f, t, i)) {
			double bytes = held_bytes(r, t, served) - held_bytes(r, t, before);

			o->fetch += bytes;
			o->refetch += written(r, t, u) + 1 == (int64_t)i ? bytes : 0;
		}
		if (onsram_relax_spills(r, t, u))
			o->spill += held_bytes(r, t, before) - held_bytes(r, t, r->hold[u]);
	}
}

/* An operation that has @stock at most, with @dram to move; returns its time */
static double step(const struct onsram_relax *r, struct onsram_relax_op *o, double stock, double backlog,
		   double dram, double room)
{
	double lat = (double)r->f->m->dram_latency_ps, time, work, excess;

	if (r->f->m->preset == ONSRAM_PRESET_PAPER)
		lat = 0;
	o->late = 0;
	excess = most(0, dram - o->floor * r->bw);
	o->ahead = least(least(excess, o->movable), most(0, stock - r->copy_bytes));
	/* Operands that are all there spare the latency, too */
	if (o->movable >= dram && stock - r->copy_bytes >= dram &&
	    dram - o->ahead <= 2 * lat * r->bw)
		o->ahead = dram;
	dram -= o->ahead;
	excess = most(0, dram - o->floor * r->bw);
	if (!r->synchronous)
		o->late = least(least(excess, o->out), most(0, room - backlog - o->ahead));
	dram -= o->late;
	work = most(o->floor, dram / r->bw);
	time = (r->f->m->preset == ONSRAM_PRESET_PAPER ? 0 : (double)r->f->m->cmd_overhead_ps) +
	       (dram > 0 ? lat : 0) + work;
	o->idle = r->synchronous ? 0 : (time - dram / r->bw) * r->copy_bw;
	backlog += o->late;
	o->backlog = backlog - least(backlog, o->idle);
	o->drained = backlog - o->backlog;
	o->idle -= o->drained;
	if (o->ahead > 0)
		stock = most(0, stock - r->copy_bytes);
	o->stock = most(0, least(stock + o->idle, room - backlog) - o->ahead);
	return time;
}

static void sweep_op(struct onsram_relax *r, uint32_t i)
{
	struct onsram_relax_op *o = &r->op[i], wide;
	double stock = i && !r->synchronous ? o[-1].stock : 0, backlog = i ? o[-1].backlog : 0;
	double room = (double)r->capacity - (double)o->taken, wait = 0, covered, time;

	r->work++;
	if (o->spill > 0 && r->synchronous)
		wait += (o->spill + r->copy_bytes) / r->copy_bw;
	if (backlog > room) {
		wait += (backlog - most(0, room)) / r->copy_bw;
		backlog = most(0, room);
	}
	if (o->fetch > 0) {
		stock = most(0, stock - r->copy_bytes);
		covered = least(stock, o->fetch - o->refetch);
		if (covered < o->fetch)
			wait += (o->fetch - covered + r->copy_bytes) / r->copy_bw;
		stock -= covered;
	}
	stock = least(stock, most(0, room - backlog));
	time = step(r, o, stock, backlog, o->dram_narrow, room);
	if (o->dram_narrow > o->dram) {
		double left = (double)r->f->m->spm_size - (double)o->taken - o->window;
		double wide_time;

		wide = *o;
		wide_time = step(r, &wide, least(stock, most(0, left - backlog)), backlog, wide.dram, left);
		if (backlog <= left && (wide_time < time || (wide_time == time && wide.stock > o->stock))) {
			*o = wide;
			time = wide_time;
		}
	}
	if (!r->synchronous)
		o->backlog += o->spill;
	o->time = time + wait;
}

static double tail(const struct onsram_relax *r)
{
	uint32_t n = r->f->g->nr_ops;

	return n ? r->op[n - 1].backlog / r->copy_bw : 0;
}

static void touch(struct onsram_relax *r, uint32_t i)
{
	if (r->stamp[i] == r->change)
		return;
	r->stamp[i] = r->change;
	r->log[r->nr_log++] = (struct onsram_relax_log){ i, r->op[i] };
}

/* From @from on, at least up to @to, and on until nothing differs */
static void sweep(struct onsram_relax *r, uint32_t from, uint32_t to)
{
	double before = tail(r);

	for (uint32_t i = from; i < r->f->g->nr_ops; i++) {
		struct onsram_relax_op old = r->op[i];

		touch(r, i);
		sweep_op(r, i);
		r->total += r->op[i].time - old.time;
		if (i >= to && old.stock == r->op[i].stock && old.backlog == r->op[i].backlog)
			break;
	}
	r->total += tail(r) - before;
}

/* Bytes taken while the operations of a tensor's use, or between two, run */
static void take(struct onsram_relax *r, uint32_t i, int64_t bytes)
{
	if (!bytes)
		return;
	touch(r, i);
	r->op[i].taken += (uint64_t)bytes;
	if (r->op[i].window > ONSRAM_STAGING_MIN || r->op[i].dram_narrow > r->op[i].dram ||
	    r->f->ops[i].opcode == ONSRAM_OP_GEMM || r->f->ops[i].opcode == ONSRAM_OP_CONV)
		price_op(r, i);
}

double onsram_relax_set(struct onsram_relax *r, uint32_t t, uint32_t first, uint32_t end, uint32_t bytes,
			bool raise)
{
	const struct onsram_use *use = r->f->use;

	r->change++;
	r->nr_log = 0;
	r->total_log = r->total;
	r->hold_first = first;
	r->hold_end = end;
	memcpy(r->hold_log + first, r->hold + first, (end - first) * sizeof(*r->hold));
	r->here_log = r->here[first];
	if (first == end && (raise ? r->here[first] < bytes : r->here[first] > bytes)) {
		uint32_t served = onsram_relax_served(r, t, first);

		touch(r, use[first].op);
		r->here[first] = bytes;
		r->op[use[first].op].taken += onsram_relax_served(r, t, first) - (uint64_t)served;
	}
	for (uint32_t u = first; u < end; u++) {
		uint32_t old = r->hold[u], served[2];

		if (raise ? old >= bytes : old <= bytes)
			continue;
		served[0] = onsram_relax_served(r, t, u);
		served[1] = onsram_relax_served(r, t, u + 1);
		r->hold[u] = bytes;
		for (uint32_t i = use[u].op + 1; i < use[u + 1].op; i++)
			take(r, i, (int64_t)bytes - old);
		for (uint32_t k = 0; k < 2; k++) {
			uint32_t i = use[u + k].op;

			touch(r, i);
			r->op[i].taken += onsram_relax_served(r, t, u + k) - (uint64_t)served[k];
		}
	}
	for (uint32_t u = first; u <= end; u++) {
		touch(r, use[u].op);
		price_op(r, use[u].op);
		price_stays(r, use[u].op);
	}
	sweep(r, use[first].op, use[end].op);
	return r->total - r->total_log;
}

void onsram_relax_undo(struct onsram_relax *r)
{
	while (r->nr_log) {
		const struct onsram_relax_log *l = &r->log[--r->nr_log];

		r->op[l->index] = l->op;
	}
	memcpy(r->hold + r->hold_first, r->hold_log + r->hold_first,
	       (r->hold_end - r->hold_first) * sizeof(*r->hold));
	r->here[r->hold_first] = r->here_log;
	r->hold_end = r->hold_first;
	r->total = r->total_log;
}

uint64_t onsram_relax_room(const struct onsram_relax *r, uint32_t t, uint32_t first, uint32_t end)
{
	const struct onsram_use *use = r->f->use;
	uint64_t room = r->capacity + onsram_relax_served(r, t, end) - r->op[use[end].op].taken;

	for (uint32_t u = first; u < end; u++) {
		uint32_t i = use[u].op;
		uint64_t own = onsram_relax_served(r, t, u);

		for (; i < use[u + 1].op; i++, own = r->hold[u]) {
			uint64_t free = r->capacity + own - r->op[i].taken;

			room = free < room ? free : room;
		}
	}
	return room;
}

int onsram_relax_init(struct onsram_relax *r, const struct onsram_flow *f, bool synchronous, bool constants)
{
	size_t ops = (size_t)f->g->nr_ops + 1, uses = (size_t)f->first[f->g->nr_tensors] + 1;
	const struct onsram_model *m = f->m;

	*r = (struct onsram_relax){ .f = f, .synchronous = synchronous, .constants = constants };
	r->bw = (double)m->dram_bw / 1e12;
	r->copy_bw = least(r->bw, (double)m->spm_bw / 2e12);
	r->capacity = onsram_staging(m, ONSRAM_STAGING_MIN);
	r->copy_bytes = m->preset == ONSRAM_PRESET_PAPER ? 0 :
			(double)(m->cmd_overhead_ps + m->dram_latency_ps) * r->copy_bw;
	r->hold = calloc(uses, sizeof(*r->hold));
	r->here = calloc(uses, sizeof(*r->here));
	r->hold_log = calloc(uses, sizeof(*r->hold_log));
	r->op = calloc(ops, sizeof(*r->op));
	r->log = calloc(ops, sizeof(*r->log));
	r->stamp = calloc(ops, sizeof(*r->stamp));
	if (!r->hold || !r->here || !r->hold_log || !r->op || !r->log || !r->stamp)
		return -1;
	r->change = 1;
	for (uint32_t i = 0; i < f->g->nr_ops; i++)
		price_op(r, i);
	sweep(r, 0, f->g->nr_ops);
	r->nr_log = 0;
	return 0;
}

void onsram_relax_fini(struct onsram_relax *r)
{
	free(r->hold);
	free(r->here);
	free(r->hold_log);
	free(r->op);
	free(r->log);
	free(r->stamp);
}
