/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tracepoints: the life of a job, and what moves tensors in and out of the SPM.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM onsram

#if !defined(_ONSRAM_TRACE_H_) || defined(TRACE_HEADER_MULTI_READ)
#define _ONSRAM_TRACE_H_

#include <linux/tracepoint.h>

#include "onsram_drv.h"

TRACE_EVENT(onsram_submit,
	    TP_PROTO(struct onsram_device *odev, u32 client, u32 kind, u32 ops, u32 bos,
		     u64 context, u64 seqno),
	    TP_ARGS(odev, client, kind, ops, bos, context, seqno),
	    TP_STRUCT__entry(__string(dev, dev_name(odev->drm.dev))
			     __field(u32, client)
			     __field(u32, kind)
			     __field(u32, ops)
			     __field(u32, bos)
			     __field(u64, context)
			     __field(u64, seqno)),
	    TP_fast_assign(__assign_str(dev);
			   __entry->client = client;
			   __entry->kind = kind;
			   __entry->ops = ops;
			   __entry->bos = bos;
			   __entry->context = context;
			   __entry->seqno = seqno;),
	    TP_printk("dev=%s client=%u kind=%u ops=%u bos=%u fence=%llu:%llu", __get_str(dev),
		      __entry->client, __entry->kind, __entry->ops, __entry->bos,
		      __entry->context, __entry->seqno)
);

TRACE_EVENT(onsram_run,
	    TP_PROTO(struct onsram_device *odev, u32 client, u32 engine, u64 first, u64 last),
	    TP_ARGS(odev, client, engine, first, last),
	    TP_STRUCT__entry(__string(dev, dev_name(odev->drm.dev))
			     __field(u32, client)
			     __field(u32, engine)
			     __field(u64, first)
			     __field(u64, last)),
	    TP_fast_assign(__assign_str(dev);
			   __entry->client = client;
			   __entry->engine = engine;
			   __entry->first = first;
			   __entry->last = last;),
	    TP_printk("dev=%s client=%u engine=%u commands=%llu-%llu", __get_str(dev),
		      __entry->client, __entry->engine, __entry->first, __entry->last)
);

TRACE_EVENT(onsram_complete,
	    TP_PROTO(struct onsram_device *odev, u32 client, u32 engine, u64 last, u64 time_ps,
		     int error),
	    TP_ARGS(odev, client, engine, last, time_ps, error),
	    TP_STRUCT__entry(__string(dev, dev_name(odev->drm.dev))
			     __field(u32, client)
			     __field(u32, engine)
			     __field(u64, last)
			     __field(u64, time_ps)
			     __field(int, error)),
	    TP_fast_assign(__assign_str(dev);
			   __entry->client = client;
			   __entry->engine = engine;
			   __entry->last = last;
			   __entry->time_ps = time_ps;
			   __entry->error = error;),
	    TP_printk("dev=%s client=%u engine=%u command=%llu time_ps=%llu error=%d",
		      __get_str(dev), __entry->client, __entry->engine, __entry->last,
		      __entry->time_ps, __entry->error)
);

/*
 * What an engine made of a command; times as it modelled them.  kind is enum onsram_push, order
 * a number among all engines' commands, flags an ASSIGN's.  Of each operand that is in the SPM, of
 * what an ASSIGN or a transfer is about in slot 0: SPM offset, the tensor's byte there, how many.
 */
TRACE_EVENT(onsram_command,
	    TP_PROTO(struct onsram_engine *engine, u32 client, const struct onsram_action *action,
		     u64 flags, const struct onsram_trace_slots *slots,
		     const struct onsram_hw_cpl *cpl, int error),
	    TP_ARGS(engine, client, action, flags, slots, cpl, error),
	    TP_STRUCT__entry(__string(dev, dev_name(engine->odev->drm.dev))
			     __field(u32, client)
			     __field(u32, engine)
			     __field(u32, kind)
			     __field(u64, order)
			     __field(u64, start_ps)
			     __field(u64, end_ps)
			     __field(u64, compute_ps)
			     __field(u64, dram_read_bytes)
			     __field(u64, dram_write_bytes)
			     __field(u64, spm_bytes)
			     __field(int, error)
			     __field(u64, flags)
			     __array(u64, place, ONSRAM_MAX_OPERANDS)
			     __array(u64, begin, ONSRAM_MAX_OPERANDS)
			     __array(u64, bytes, ONSRAM_MAX_OPERANDS)),
	    TP_fast_assign(__assign_str(dev);
			   __entry->client = client;
			   __entry->engine = engine->id;
			   __entry->kind = action->kind;
			   __entry->order = action->stamp;
			   __entry->start_ps = cpl->start_ps;
			   __entry->end_ps = cpl->end_ps;
			   __entry->compute_ps = cpl->compute_ps;
			   __entry->dram_read_bytes = cpl->dram_read_bytes;
			   __entry->dram_write_bytes = cpl->dram_write_bytes;
			   __entry->spm_bytes = cpl->spm_bytes;
			   __entry->error = error;
			   __entry->flags = flags;
			   memcpy(__entry->place, slots->place, sizeof(slots->place));
			   memcpy(__entry->begin, slots->begin, sizeof(slots->begin));
			   memcpy(__entry->bytes, slots->bytes, sizeof(slots->bytes));),
	    TP_printk("dev=%s client=%u engine=%u kind=%u order=%llu start_ps=%llu end_ps=%llu compute_ps=%llu dram_read_bytes=%llu dram_write_bytes=%llu spm_bytes=%llu error=%d flags=%llu place=%s begin=%s bytes=%s",
		      __get_str(dev), __entry->client, __entry->engine, __entry->kind,
		      __entry->order, __entry->start_ps, __entry->end_ps, __entry->compute_ps,
		      __entry->dram_read_bytes, __entry->dram_write_bytes, __entry->spm_bytes,
		      __entry->error, __entry->flags,
		      __print_array(__entry->place, ONSRAM_MAX_OPERANDS, sizeof(u64)),
		      __print_array(__entry->begin, ONSRAM_MAX_OPERANDS, sizeof(u64)),
		      __print_array(__entry->bytes, ONSRAM_MAX_OPERANDS, sizeof(u64)))
);

/* Masks of operand slots: what an operation found in the SPM and what it did not */
TRACE_EVENT(onsram_op,
	    TP_PROTO(struct onsram_device *odev, u32 client, u32 opcode, u64 seq, u32 hit,
		     u32 miss),
	    TP_ARGS(odev, client, opcode, seq, hit, miss),
	    TP_STRUCT__entry(__string(dev, dev_name(odev->drm.dev))
			     __field(u32, client)
			     __field(u32, opcode)
			     __field(u64, seq)
			     __field(u32, hit)
			     __field(u32, miss)),
	    TP_fast_assign(__assign_str(dev);
			   __entry->client = client;
			   __entry->opcode = opcode;
			   __entry->seq = seq;
			   __entry->hit = hit;
			   __entry->miss = miss;),
	    TP_printk("dev=%s client=%u opcode=%u command=%llu hit=%#x miss=%#x",
		      __get_str(dev), __entry->client, __entry->opcode, __entry->seq,
		      __entry->hit, __entry->miss)
);

TRACE_EVENT(onsram_place,
	    TP_PROTO(struct onsram_device *odev, u32 asid, u64 offset, u64 bytes, u64 flags),
	    TP_ARGS(odev, asid, offset, bytes, flags),
	    TP_STRUCT__entry(__string(dev, dev_name(odev->drm.dev))
			     __field(u32, asid)
			     __field(u64, offset)
			     __field(u64, bytes)
			     __field(u64, flags)),
	    TP_fast_assign(__assign_str(dev);
			   __entry->asid = asid;
			   __entry->offset = offset;
			   __entry->bytes = bytes;
			   __entry->flags = flags;),
	    TP_printk("dev=%s context=%u offset=%#llx bytes=%llu%s%s", __get_str(dev),
		      __entry->asid, __entry->offset, __entry->bytes,
		      __entry->flags & ONSRAM_ASSIGN_RELEASE ? " release" : "",
		      __entry->flags & ONSRAM_ASSIGN_SCRUB ? " scrub" : "")
);

DECLARE_EVENT_CLASS(onsram_move,
		    TP_PROTO(struct onsram_device *odev, u32 bo, u64 addr, u64 bytes),
		    TP_ARGS(odev, bo, addr, bytes),
		    TP_STRUCT__entry(__string(dev, dev_name(odev->drm.dev))
				     __field(u32, bo)
				     __field(u64, addr)
				     __field(u64, bytes)),
		    TP_fast_assign(__assign_str(dev);
				   __entry->bo = bo;
				   __entry->addr = addr & ~ONSRAM_ADDR_SPM;
				   __entry->bytes = bytes;),
		    TP_printk("dev=%s buffer=%u offset=%#llx bytes=%llu", __get_str(dev),
			      __entry->bo, __entry->addr, __entry->bytes)
);

DEFINE_EVENT(onsram_move, onsram_writeback,
	     TP_PROTO(struct onsram_device *odev, u32 bo, u64 addr, u64 bytes),
	     TP_ARGS(odev, bo, addr, bytes));

DEFINE_EVENT(onsram_move, onsram_prefetch,
	     TP_PROTO(struct onsram_device *odev, u32 bo, u64 addr, u64 bytes),
	     TP_ARGS(odev, bo, addr, bytes));

TRACE_EVENT(onsram_evict,
	    TP_PROTO(struct onsram_device *odev, u32 client, u64 count),
	    TP_ARGS(odev, client, count),
	    TP_STRUCT__entry(__string(dev, dev_name(odev->drm.dev))
			     __field(u32, client)
			     __field(u64, count)),
	    TP_fast_assign(__assign_str(dev);
			   __entry->client = client;
			   __entry->count = count;),
	    TP_printk("dev=%s for_client=%u tensors=%llu", __get_str(dev), __entry->client,
		      __entry->count)
);

TRACE_EVENT(onsram_fallback,
	    TP_PROTO(struct onsram_device *odev, u32 client, u32 op, u32 policy),
	    TP_ARGS(odev, client, op, policy),
	    TP_STRUCT__entry(__string(dev, dev_name(odev->drm.dev))
			     __field(u32, client)
			     __field(u32, op)
			     __field(u32, policy)),
	    TP_fast_assign(__assign_str(dev);
			   __entry->client = client;
			   __entry->op = op;
			   __entry->policy = policy;),
	    TP_printk("dev=%s client=%u op=%u policy=%u", __get_str(dev), __entry->client,
		      __entry->op, __entry->policy)
);

TRACE_EVENT(onsram_reset,
	    TP_PROTO(struct onsram_device *odev, u32 engine, u64 last),
	    TP_ARGS(odev, engine, last),
	    TP_STRUCT__entry(__string(dev, dev_name(odev->drm.dev))
			     __field(u32, engine)
			     __field(u64, last)),
	    TP_fast_assign(__assign_str(dev);
			   __entry->engine = engine;
			   __entry->last = last;),
	    TP_printk("dev=%s engine=%u last_command=%llu", __get_str(dev), __entry->engine,
		      __entry->last)
);

#endif

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE onsram_trace
#include <trace/define_trace.h>
