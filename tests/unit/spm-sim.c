// SPDX-License-Identifier: MIT
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <linux/bitmap.h>

#include "spm-sim.h"

#define GRANULE		ONSRAM_SPM_GRANULE
#define VA_OF(t)	(((u64)(t) + 1) << 20)

int unit_allocs_left = -1;

static struct sim *sim_of(struct onsram_emit *emit)
{
	return container_of(emit, struct sim, emit);
}

/* The bytes behind an address, checked for whose they are */
static u8 *resolve(struct sim *sim, u64 addr, u64 bytes, u32 asid, bool write)
{
	u64 offset = addr & ~ONSRAM_ADDR_SPM;
	struct sim_tensor *t;

	if (!(addr & ONSRAM_ADDR_SPM)) {
		assert_in_range(addr >> 20, 1, sim->nr_tensors);
		t = &sim->tensor[(addr >> 20) - 1];
		assert_int_equal(sim->client[t->client].base.asid, asid);
		/* homes are mapped in pages: up to the next word is fine */
		assert_true((addr & 0xfffff) + bytes <= (t->bytes + 3) / 4 * 4);
		return t->dram + (addr & 0xfffff);
	}
	assert_true(offset + bytes <= (u64)sim->spm.granules * GRANULE);
	for (u64 g = offset / GRANULE; g * GRANULE < offset + bytes; g++) {
		assert_int_equal(sim->owner[g], asid);
		assert_true(!sim->tag[g] || sim->client[sim->tag[g] - 1].base.asid == asid);
		if (write)
			for (u32 c = 0; c < SIM_CLIENTS; c++)
				if (sim->client[c].base.asid == asid)
					sim->tag[g] = c + 1;
	}
	return sim->mem + offset;
}

static void run_assign(struct sim *sim, const struct onsram_hw_cmd *cmd)
{
	u64 from = cmd->arg[0] / GRANULE, to = from + cmd->arg[1] / GRANULE;

	assert_int_equal(cmd->opcode, ONSRAM_CMD_SPM_ASSIGN);
	assert_int_equal(cmd->arg[0] % GRANULE, 0);
	assert_int_equal(cmd->arg[1] % GRANULE, 0);
	assert_true(from < to && to <= sim->spm.granules);
	assert_int_equal(cmd->arg[2] & ~3ull, 0);
	sim->released += !!(cmd->arg[2] & ONSRAM_ASSIGN_RELEASE);
	for (u64 g = from; g < to; g++) {
		if (cmd->arg[2] & ONSRAM_ASSIGN_SCRUB) {
			memset(sim->mem + g * GRANULE, 0, GRANULE);
			sim->tag[g] = 0;
		}
		sim->owner[g] = cmd->arg[2] & ONSRAM_ASSIGN_RELEASE ? 0 : cmd->asid;
		/* nobody gets to see another client's data */
		assert_true(!sim->owner[g] || !sim->tag[g] ||
			    sim->client[sim->tag[g] - 1].base.asid == cmd->asid);
	}
}

static void run_copy(struct sim *sim, const struct onsram_hw_cmd *cmd, bool fetch,
		     struct onsram_residence *res)
{
	u64 bytes = cmd->operand[0].view.dims[0] * 4ull, begin = cmd->operand[fetch].addr - res->va;
	u8 *to, *from;

	assert_int_equal(cmd->opcode, ONSRAM_OP_COPY);
	for (u32 s = 0; s < 2; s++) {
		const struct onsram_view *v = &cmd->operand[s].view;

		assert_int_equal(v->dtype, ONSRAM_DTYPE_I32);
		assert_int_equal(v->rank, 1);
		assert_int_equal(v->dims[0] * 4ull, bytes);
		assert_int_equal(v->strides[0], 1);
		assert_int_equal(!!(cmd->operand[s].addr & ONSRAM_ADDR_SPM), s != fetch);
	}
	/* a part of the resident extent, where that lies */
	assert_true(begin >= res->begin && begin + bytes <= (res->bytes + 3) / 4 * 4);
	assert_true(begin + bytes <= res->begin + onsram_residency_bytes(res));
	assert_int_equal((cmd->operand[!fetch].addr & ~ONSRAM_ADDR_SPM) - begin,
			 onsram_residency_offset(res) - res->begin);
	sim->moved[fetch ? ONSRAM_PUSH_FETCH : ONSRAM_PUSH_WRITEBACK] += bytes;
	sim->resized += bytes + ONSRAM_SPM_GRANULE <= onsram_residency_bytes(res);
	from = resolve(sim, cmd->operand[1].addr, bytes, cmd->asid, false);
	to = resolve(sim, cmd->operand[0].addr, bytes, cmd->asid, true);
	memcpy(to, from, bytes);
}

/* Bytes of an operand that lie together, at @addr */
static void run_bytes(struct sim *sim, u32 s, u64 addr, u64 offset, u64 bytes, u32 asid)
{
	struct sim_tensor *t = &sim->tensor[sim->op[s]];
	u8 *data = resolve(sim, addr, bytes, asid, !s);

	for (u64 b = 0; b < bytes; b++) {
		if (s) {
			if (t->wanted[offset + b] && data[b] != t->truth[offset + b])
				fail_msg("slot %u reads a stale byte of tensor %d", s, sim->op[s]);
		} else {
			data[b] = rnd(&sim->seed);
			t->truth[offset + b] = data[b];
			t->wanted[offset + b] = true;
		}
	}
}

/* Bytes of the SPM that a slot uses: [from, to) */
static bool range_of(const struct onsram_hw_cmd *cmd, const struct onsram_hw_windows *windows, u32 s,
		     u64 *from, u64 *to)
{
	const struct onsram_hw_operand *o = &cmd->operand[s];
	const struct onsram_hw_window *w = windows ? &windows->slot[s] : NULL;
	bool whole = o->addr & ONSRAM_ADDR_SPM;

	*from = whole ? o->addr & ~ONSRAM_ADDR_SPM : w ? w->spm : 0;
	*to = *from + (whole ? o->view.dims[0] * 4ull : w ? w->bytes : 0);
	return o->view.dtype && *from < *to;
}

static void count_over(struct sim *sim, const struct onsram_hw_cmd *cmd,
		       const struct onsram_hw_windows *windows)
{
	u64 from, to, low, high;

	for (u32 s = 1; s < ONSRAM_MAX_OPERANDS && range_of(cmd, windows, 0, &from, &to); s++)
		sim->over += sim->op[s] != sim->op[0] && range_of(cmd, windows, s, &low, &high) &&
			     low < to && from < high;
}

static void run_op(struct sim *sim, const struct onsram_hw_cmd *cmd,
		   const struct onsram_hw_windows *windows)
{
	count_over(sim, cmd, windows);
	assert_int_equal(!!windows, !!(cmd->flags & ONSRAM_CMDF_WINDOWS));
	for (u32 s = ONSRAM_MAX_OPERANDS; s-- > 0;) {
		const struct onsram_hw_window *w = windows ? &windows->slot[s] : NULL;
		const struct onsram_hw_operand *o = &cmd->operand[s];
		u64 bytes = o->view.dims[0] * 4ull, begin, end, low, high;
		struct sim_tensor *t;

		if (w && (sim->op[s] < 0 || o->addr & ONSRAM_ADDR_SPM))
			assert_memory_equal(w, &(struct onsram_hw_window){}, sizeof(*w));
		if (sim->op[s] < 0)
			continue;
		t = &sim->tensor[sim->op[s]];
		if (o->addr & ONSRAM_ADDR_SPM) {
			begin = (o->addr & ~ONSRAM_ADDR_SPM) - onsram_residency_offset(&t->res) +
				t->res.begin;
			assert_true(begin + bytes <= t->bytes);
			run_bytes(sim, s, o->addr, begin, bytes, cmd->asid);
			continue;
		}
		begin = o->addr - t->res.va;
		end = begin + bytes;
		assert_true(end <= t->bytes);
		low = end;
		high = end;
		if (w && w->bytes) {
			low = w->va - t->res.va;
			high = low + w->bytes;
			sim->parts++;
			/* it has some of it, and not all */
			assert_true(low < end && high > begin && (low > begin || high < end));
			low = low < begin ? begin : low;
			high = high > end ? end : high;
			run_bytes(sim, s, ONSRAM_ADDR_SPM | (w->spm + t->res.va + low - w->va), low,
				  high - low, cmd->asid);
		}
		if (begin < low)
			run_bytes(sim, s, t->res.va + begin, begin, low - begin, cmd->asid);
		if (high < end)
			run_bytes(sim, s, t->res.va + high, high, end - high, cmd->asid);
	}
}

static void sim_push(struct onsram_emit *emit, const struct onsram_hw_cmd *cmd,
		     const struct onsram_hw_windows *windows, const struct onsram_action *action)
{
	struct sim *sim = sim_of(emit);

	/* One engine waits for nobody */
	assert_int_not_equal(action->kind, ONSRAM_PUSH_WAIT);
	assert_false(cmd->flags & ONSRAM_CMDF_WAIT);
	if (action->kind != ONSRAM_PUSH_OP) {
		assert_true(sim->room > 0);
		sim->room--;
		assert_int_equal(emit->room, sim->room);
	}
	sim->count[action->kind]++;
	if (sim->idle)
		return;
	if (action->kind == ONSRAM_PUSH_ASSIGN)
		run_assign(sim, cmd);
	else if (action->kind == ONSRAM_PUSH_OP)
		run_op(sim, cmd, windows);
	else
		run_copy(sim, cmd, action->kind == ONSRAM_PUSH_FETCH, action->res);
}

void sim_init(struct sim *sim, u32 granules)
{
	u64 bytes = ONSRAM_STAGING_MIN + (u64)granules * GRANULE;

	memset(sim, 0, sizeof(*sim));
	sim->emit.push = sim_push;
	sim->seed = 12345;
	assert_int_equal(onsram_spm_init(&sim->spm, bytes, 1), 0);
	sim->mem = calloc(1, bytes);
	sim->owner = calloc(bytes / GRANULE, sizeof(*sim->owner));
	sim->tag = calloc(bytes / GRANULE, sizeof(*sim->tag));
	for (u32 c = 0; c < SIM_CLIENTS; c++) {
		sim->client[c].base.id = 100 + c;
		sim->client[c].base.asid = 1 + c;
		sim->client[c].base.stats = &sim->client[c].stats;
	}
	sim_room(sim, 1000);
}

u32 sim_tensor(struct sim *sim, u32 client, u64 bytes)
{
	struct sim_tensor *t = &sim->tensor[sim->nr_tensors];

	assert_true(sim->nr_tensors < SIM_TENSORS && bytes <= SIM_TENSOR_MAX);
	t->client = client;
	t->bytes = bytes;
	t->dram = calloc(1, bytes + 3);
	t->truth = calloc(1, bytes);
	t->wanted = calloc(bytes, sizeof(*t->wanted));
	for (u64 b = 0; b < bytes; b++) {
		t->dram[b] = rnd(&sim->seed);
		t->truth[b] = t->dram[b];
		t->wanted[b] = true;
	}
	onsram_residence_init(&t->res, &sim->client[client].base, VA_OF(sim->nr_tensors), bytes);
	return sim->nr_tensors++;
}

void sim_room(struct sim *sim, u32 n)
{
	sim->room = n;
	sim->emit.room = n;
}

void sim_unwanted(struct sim *sim, u32 tensor)
{
	struct sim_tensor *t = &sim->tensor[tensor];

	memset(t->wanted, 0, t->bytes * sizeof(*t->wanted));
}

static void check_home(const struct sim_tensor *t, u64 begin, u64 end)
{
	for (u64 b = begin; b < end; b++)
		if (t->wanted[b] && t->dram[b] != t->truth[b])
			fail_msg("DRAM has a stale byte of the tensor at %#llx", (unsigned long long)t->res.va);
}

void sim_cpu_reads(struct sim *sim, u32 tensor)
{
	struct sim_tensor *t = &sim->tensor[tensor];

	assert_int_not_equal(t->res.state, DRM_ONSRAM_RESIDENCY_DIRTY);
	check_home(t, 0, t->bytes);
}

static void count_resident(const struct onsram_residence *res, void *data)
{
	u64 *sums = data, offset = onsram_residency_offset(res);

	/* by address, apart */
	assert_true(offset >= sums[SIM_CLIENTS]);
	sums[SIM_CLIENTS] = offset + onsram_residency_bytes(res);
	sums[res->client->asid - 1] += onsram_residency_bytes(res);
}

void sim_check_ranges(struct sim *sim)
{
	u64 sums[SIM_CLIENTS + 1] = {}, total = 0;
	struct onsram_spm *spm = &sim->spm;
	u32 resident = 0, stale = 0;

	onsram_spm_for_each(spm, count_resident, sums);
	for (u32 c = 0; c < SIM_CLIENTS; c++) {
		assert_int_equal(sim->client[c].stats.resident_bytes, sums[c]);
		total += sums[c];
	}
	assert_int_equal(spm->stats.resident_bytes, total);
	assert_int_equal((u64)spm->used * GRANULE, total);
	assert_true(spm->used <= spm->capacity);
	assert_true(spm->stats.peak_bytes >= total);
	assert_int_equal(spm->stats.writebacks, sim->count[ONSRAM_PUSH_WRITEBACK]);
	assert_int_equal(spm->stats.prefetches, sim->count[ONSRAM_PUSH_FETCH]);
	for (u32 t = 0; t < sim->nr_tensors; t++) {
		const struct onsram_residence *res = &sim->tensor[t].res;

		if (res->state == DRM_ONSRAM_RESIDENCY_NONE) {
			assert_int_equal(onsram_residency_bytes(res), 0);
			continue;
		}
		resident++;
		for (u64 g = res->node.start; g < res->node.start + res->node.size; g++)
			assert_int_equal(sim->owner[g], res->client->asid);
	}
	assert_int_equal(spm->resident, resident);
	for (u32 g = 0; g < spm->granules; g++) {
		/* what the device has an owner for, and only that, is known to have one */
		assert_int_equal(!!sim->owner[g], test_bit(g, spm->assigned));
		stale += test_bit(g, spm->stale);
	}
	assert_int_equal(spm->nr_stale, stale);
}

void sim_check(struct sim *sim)
{
	sim_check_ranges(sim);
	for (u32 i = 0; i < sim->nr_tensors; i++) {
		const struct sim_tensor *t = &sim->tensor[i];
		u64 dirty;

		if (t->res.state != DRM_ONSRAM_RESIDENCY_DIRTY) {
			sim_cpu_reads(sim, i);
			continue;
		}
		/* beside what is dirty DRAM has it */
		dirty = t->res.begin + (t->res.dirty.start - t->res.node.start) * GRANULE;
		check_home(t, 0, dirty);
		check_home(t, dirty + t->res.dirty.granules * GRANULE, t->bytes);
	}
}

void sim_take_losses(struct sim *sim)
{
	for (u32 t = 0; t < sim->nr_tensors; t++) {
		if (!onsram_residency_is_lost(&sim->tensor[t].res))
			continue;
		sim_unwanted(sim, t);
		onsram_residency_written(&sim->spm, &sim->tensor[t].res);
	}
}

void sim_reset(struct sim *sim)
{
	memset(sim->mem, 0, (u64)sim->spm.granules * GRANULE);
	memset(sim->owner, 0, sim->spm.granules * sizeof(*sim->owner));
	memset(sim->tag, 0, sim->spm.granules);
	onsram_residency_reset(&sim->spm);
	sim_take_losses(sim);
}

void sim_op(struct sim *sim, const struct onsram_residency_run *run, u32 opcode,
	    const struct sim_slice *slices, struct onsram_residency_op *op)
{
	struct onsram_hw_cmd cmd = { .opcode = opcode };
	bool ended = false;

	op->cmd = &cmd;
	for (u32 s = 0; s < ONSRAM_MAX_OPERANDS; s++) {
		struct sim_tensor *t;
		u32 words;

		ended |= slices[s].tensor < 0;
		sim->op[s] = ended ? -1 : slices[s].tensor;
		op->res[s] = NULL;
		if (ended)
			continue;
		t = &sim->tensor[slices[s].tensor];
		words = slices[s].words ? slices[s].words : t->bytes / 4;
		op->res[s] = &t->res;
		op->offset[s] = slices[s].first * 4ull;
		cmd.operand[s].addr = t->res.va + op->offset[s];
		cmd.operand[s].view = VIEW(I32, words);
		if (!s)
			op->writes_all = words * 4ull == t->bytes;
		/* before its first use a transient tensor holds nothing */
		if (op->born & (1u << s))
			sim_unwanted(sim, slices[s].tensor);
	}
	onsram_residency_op(&sim->spm, &sim->emit, run, op);
	for (u32 s = 0; s < ONSRAM_MAX_OPERANDS; s++)
		if (op->dies & (1u << s))
			sim_unwanted(sim, sim->op[s]);
}

void sim_fini(struct sim *sim)
{
	sim_room(sim, 1000);
	for (u32 t = 0; t < sim->nr_tensors; t++) {
		struct sim_tensor *tensor = &sim->tensor[t];

		assert_int_equal(onsram_residency_evict(&sim->spm, &sim->emit, &tensor->res), 0);
		sim_cpu_reads(sim, t);
		free(tensor->dram);
		free(tensor->truth);
		free(tensor->wanted);
	}
	assert_int_equal(sim->spm.used, 0);
	onsram_spm_fini(&sim->spm);
	free(sim->mem);
	free(sim->owner);
	free(sim->tag);
}
