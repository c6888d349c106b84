/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * Generic netlink family "onsram": the policy interface between the driver
 * (mechanism) and the policy daemon.  uapi/netlink/onsram.yaml, the YAML
 * specification, uses the same names and numbers; a test compares them.
 */
#ifndef _UAPI_LINUX_ONSRAM_NETLINK_H
#define _UAPI_LINUX_ONSRAM_NETLINK_H

#define ONSRAM_FAMILY_NAME	"onsram"
#define ONSRAM_FAMILY_VERSION	1

/* Multicast group of events; joining needs CAP_NET_ADMIN */
#define ONSRAM_MCGRP_EVENTS	"events"

/* Limits of lists a message may carry */
#define ONSRAM_PLAN_MAX_INTERVALS	8192
#define ONSRAM_RULES_MAX		16384	/* per device */
#define ONSRAM_AGENT_POLICIES_MAX	16	/* that an agent names */

/**
 * enum onsram_cmd - operations of the family
 * @ONSRAM_CMD_DEVICE_GET: do or dump: DEVICE attributes.  Unprivileged.
 * @ONSRAM_CMD_ATTACH: become the policy agent of DEVICE_ID; EBUSY where there is one.
 *	POLICY_NAME entries tell its policies: clients that ask for another are refused;
 *	without any, none is.  Ends when the socket closes.  Answers with DEVICE attributes.
 * @ONSRAM_CMD_DONE: the agent has read existing graphs and rules: plans it sets from now on
 *	count as complete
 * @ONSRAM_CMD_GRAPH_GET: dump: graphs of DEVICE_ID, or with GRAPH_ID the OP and TENSOR entries
 *	of one graph, in order
 * @ONSRAM_CMD_PLAN_SET: attach a plan (INTERVAL nests) to GRAPH_ID, replacing the former one;
 *	an empty plan is a plan that holds nothing.  Agent only.
 * @ONSRAM_CMD_RULE_SET: add or replace one or more RULE nests.  Agent only.
 * @ONSRAM_CMD_RULE_DEL: delete RULE nests by key, or all without any.  Agent only.
 * @ONSRAM_CMD_RULE_GET: dump: rules
 * @ONSRAM_CMD_POLICY_SET: set the device's default POLICY (AGENT: and POLICY_NAME) and
 *	FALLBACK_POLICY
 * @ONSRAM_CMD_STATS_GET: do: STATS nest.  Unprivileged.
 * @ONSRAM_CMD_SYNC_DONE: everything reported up to SYNC is digested, and the rules and plans made
 *	of it are in place.  An agent that needs long repeats the last SYNC it has done with: like
 *	each of its requests, that tells that it is alive.  Agent only.
 * @ONSRAM_CMD_GRAPH_CREATED: event: GRAPH_ID, CLIENT_ID, POLICY, POLICY_NAME, NR_OPS,
 *	NR_TENSORS
 * @ONSRAM_CMD_GRAPH_DESTROYED: event: GRAPH_ID
 * @ONSRAM_CMD_OP_RETIRED: event: RETIRED and DIED nests (a batch, in order), LOST counts entries
 *	dropped before this batch
 * @ONSRAM_CMD_CLIENT_GONE: event: CLIENT_ID; nothing of the client is told behind it
 * @ONSRAM_CMD_SYNC: event: CLIENT_ID waits for SYNC_DONE with this SYNC or a later one; where it
 *	has PRIVATE, what is learnt from the client must not depend on others, concerns no others,
 *	and comes into force at its SYNCs only
 */
enum onsram_cmd {
	ONSRAM_CMD_UNSPEC,
	ONSRAM_CMD_DEVICE_GET,
	ONSRAM_CMD_ATTACH,
	ONSRAM_CMD_DONE,
	ONSRAM_CMD_GRAPH_GET,
	ONSRAM_CMD_PLAN_SET,
	ONSRAM_CMD_RULE_SET,
	ONSRAM_CMD_RULE_DEL,
	ONSRAM_CMD_RULE_GET,
	ONSRAM_CMD_POLICY_SET,
	ONSRAM_CMD_STATS_GET,
	ONSRAM_CMD_GRAPH_CREATED,
	ONSRAM_CMD_GRAPH_DESTROYED,
	ONSRAM_CMD_OP_RETIRED,
	ONSRAM_CMD_CLIENT_GONE,
	ONSRAM_CMD_SYNC_DONE,
	ONSRAM_CMD_SYNC,

	__ONSRAM_CMD_MAX,
	ONSRAM_CMD_MAX = __ONSRAM_CMD_MAX - 1
};

/** enum onsram_attr_top - attributes of a message */
enum onsram_attr_top {
	ONSRAM_A_UNSPEC,
	ONSRAM_A_PAD,
	ONSRAM_A_DEVICE_ID,		/* u32: index of accel node */
	ONSRAM_A_DEVICE_NAME,		/* string: PCI address */
	ONSRAM_A_MODEL,			/* binary: struct onsram_model */
	ONSRAM_A_POLICY,		/* u32: enum drm_onsram_policy */
	ONSRAM_A_FALLBACK_POLICY,	/* u32: NONE or LRU */
	ONSRAM_A_AGENT_ATTACHED,	/* u8: 0 none, 1 attached, 2 done, 3 stalled */
	ONSRAM_A_CLIENT_ID,		/* u32: an open file, unique while the driver is loaded */
	ONSRAM_A_GRAPH_ID,		/* u32 */
	ONSRAM_A_NR_OPS,		/* u32 */
	ONSRAM_A_NR_TENSORS,		/* u32 */
	ONSRAM_A_HAS_PLAN,		/* u8 */
	/* binary: struct drm_onsram_op, operand.bo indexes the graph's tensors; multi */
	ONSRAM_A_OP,
	ONSRAM_A_TENSOR,		/* nest of ONSRAM_A_TENSOR_*; multi */
	ONSRAM_A_INTERVAL,		/* nest of ONSRAM_A_INTERVAL_*; multi */
	ONSRAM_A_RULE,			/* nest of ONSRAM_A_RULE_*; multi */
	ONSRAM_A_RETIRED,		/* nest of ONSRAM_A_RETIRED_*; multi */
	ONSRAM_A_LOST,			/* u32 */
	ONSRAM_A_STATS,			/* nest of ONSRAM_A_STATS_* */
	/* string: which policy of the agent, where POLICY is AGENT; ATTACH: multi */
	ONSRAM_A_POLICY_NAME,
	ONSRAM_A_DIED,			/* nest of ONSRAM_A_DIED_*; multi */
	ONSRAM_A_SYNC,			/* u64: counts what clients wait for; of a device: last */
	ONSRAM_A_PRIVATE,		/* flag */

	__ONSRAM_A_MAX,
	ONSRAM_A_MAX = __ONSRAM_A_MAX - 1
};

/** enum onsram_attr_tensor - a tensor of a graph */
enum onsram_attr_tensor {
	ONSRAM_A_TENSOR_UNSPEC,
	ONSRAM_A_TENSOR_INDEX,		/* u32 */
	ONSRAM_A_TENSOR_FLAGS,		/* u32: DRM_ONSRAM_TENSOR_* */
	ONSRAM_A_TENSOR_PAD,
	ONSRAM_A_TENSOR_BYTES,		/* u64 */

	__ONSRAM_A_TENSOR_MAX,
	ONSRAM_A_TENSOR_MAX = __ONSRAM_A_TENSOR_MAX - 1
};

/**
 * ONSRAM_INTERVAL_* - flags of a plan's interval
 *
 * FETCH: bring the contents in from DRAM at first_op where they are not
 *	resident already (weights, inputs).  Without it first_op must write the whole
 *	tensor, or be the first use of a TRANSIENT one.
 * KEEP: stay resident behind last_op, for the next run; last_op must be the last operation.
 * OVERWRITE: the place may be, in part or whole, that of TRANSIENT tensors which first_op
 *	is the last to read; the tensor is TRANSIENT and first_op, its first use, writes it.
 */
#define ONSRAM_INTERVAL_FETCH	(1u << 0)
#define ONSRAM_INTERVAL_KEEP	(1u << 1)
#define ONSRAM_INTERVAL_OVERWRITE	(1u << 2)

/**
 * enum onsram_attr_interval - the stay of a tensor, or of a part of it, in the SPM:
 *   operations first_op to last_op, inclusive
 *
 * Parts of a tensor that stay at the same time follow each other, in the tensor and in
 * the SPM. What of an operand is not in the SPM is used from DRAM.
 *
 * Transfers run on the copy engine, beside operations: a fetch from reserve_op on, which
 * is at most first_op (and first_op itself without FETCH), until first_op, which waits for it;
 * a write-back behind last_op until release_op, which waits for it and is larger; the number
 * of operations is the run's end. Where they are next to each other nothing overlaps.
 */
enum onsram_attr_interval {
	ONSRAM_A_INTERVAL_UNSPEC,
	ONSRAM_A_INTERVAL_TENSOR,	/* u32: index in the graph */
	ONSRAM_A_INTERVAL_FIRST_OP,	/* u32 */
	ONSRAM_A_INTERVAL_LAST_OP,	/* u32 */
	ONSRAM_A_INTERVAL_FLAGS,	/* u32 */
	ONSRAM_A_INTERVAL_OFFSET,	/* u32: SPM offset, a multiple of the granule */
	ONSRAM_A_INTERVAL_BYTES,	/* u32: of the part, a multiple of the granule */
	ONSRAM_A_INTERVAL_PAD,
	ONSRAM_A_INTERVAL_BEGIN,	/* u64: first byte of the part, a multiple of the granule */
	ONSRAM_A_INTERVAL_RESERVE_OP,	/* u32: takes the place, and a fetch may start */
	ONSRAM_A_INTERVAL_RELEASE_OP,	/* u32: gives it back, written back */

	__ONSRAM_A_INTERVAL_MAX,
	ONSRAM_A_INTERVAL_MAX = __ONSRAM_A_INTERVAL_MAX - 1
};

/**
 * ONSRAM_RULE_* - what to do with the operands of an operation submitted under POLICY_AGENT
 *
 * HOLD(s): the operand in slot s is kept in the SPM (0: the output is placed there;
 *	others: brought in when not resident and room is free).
 * DROP(s): the operand in slot s gives its place up after the operation (written
 *	back first unless clean or dead).
 */
#define ONSRAM_RULE_HOLD(s)	(1u << (s))
#define ONSRAM_RULE_DROP(s)	(1u << (8 + (s)))

/* The state of a client that is in no sequence */
#define ONSRAM_STATE_START	1u

/**
 * enum onsram_attr_rule - a rule for operations submitted singly
 *
 * Without STATE it acts on operations with this KEY.  With STATE it is a step of a
 * sequence, and KEY an operation's signature: when an operation with this signature
 * comes while its client is in STATE, or else in ONSRAM_STATE_START, the client is
 * in NEXT behind it, HOLD(s) places the operand at PLACES[s], bringing its contents
 * in where they are wanted and evicting whoever is there (an operand that is resident
 * already stays where it is), and rules without STATE are not looked at.  An operation
 * that no step expects takes its client to ONSRAM_STATE_START.
 */
enum onsram_attr_rule {
	ONSRAM_A_RULE_UNSPEC,
	ONSRAM_A_RULE_PAD,
	ONSRAM_A_RULE_KEY,		/* u64: RETIRED_KEY; of a step RETIRED_SIGNATURE */
	ONSRAM_A_RULE_ACTIONS,		/* u32: ONSRAM_RULE_* */
	/* u32: who stays when room is short; larger is more valuable per byte */
	ONSRAM_A_RULE_PRIORITY,
	ONSRAM_A_RULE_HITS,		/* u64: dump only: look-ups that found it */
	ONSRAM_A_RULE_STATE,		/* u32, not 0: of a step, with NEXT and PLACES */
	ONSRAM_A_RULE_NEXT,		/* u32, not 0 */
	/* binary: u32[ONSRAM_MAX_OPERANDS], SPM offsets, multiples of the granule */
	ONSRAM_A_RULE_PLACES,

	__ONSRAM_A_RULE_MAX,
	ONSRAM_A_RULE_MAX = __ONSRAM_A_RULE_MAX - 1
};

/**
 * enum onsram_attr_retired - an operation that completed
 *
 * SIGNATURE hashes opcode, attributes, views, and which operands share a buffer.
 * KEY hashes it with those of the three operations the same client submitted
 * before it.
 */
enum onsram_attr_retired {
	ONSRAM_A_RETIRED_UNSPEC,
	ONSRAM_A_RETIRED_PAD,
	ONSRAM_A_RETIRED_CLIENT_ID,	/* u32 */
	ONSRAM_A_RETIRED_KEY,		/* u64 */
	/* binary: struct drm_onsram_op, operand.bo is the buffer's id, unique on the device */
	ONSRAM_A_RETIRED_OP,
	ONSRAM_A_RETIRED_RESIDENT,	/* u32: mask of operand slots found in the SPM */
	ONSRAM_A_RETIRED_TIME,		/* u64: modelled, ps */
	ONSRAM_A_RETIRED_SIGNATURE,	/* u64 */
	/* binary: u64[ONSRAM_MAX_OPERANDS]: size of each operand's buffer, 0 where there is none */
	ONSRAM_A_RETIRED_BYTES,

	__ONSRAM_A_RETIRED_MAX,
	ONSRAM_A_RETIRED_MAX = __ONSRAM_A_RETIRED_MAX - 1
};

/** enum onsram_attr_died - buffers nobody will read again: DEAD advice was given, or they were
 *   destroyed, before the operation that is reported next was submitted
 */
enum onsram_attr_died {
	ONSRAM_A_DIED_UNSPEC,
	ONSRAM_A_DIED_CLIENT_ID,	/* u32 */
	ONSRAM_A_DIED_BUFFERS,		/* binary: u32 ids */

	__ONSRAM_A_DIED_MAX,
	ONSRAM_A_DIED_MAX = __ONSRAM_A_DIED_MAX - 1
};

/** enum onsram_attr_stats - the device's totals; units as in struct drm_onsram_stats */
enum onsram_attr_stats {
	ONSRAM_A_STATS_UNSPEC,
	ONSRAM_A_STATS_PAD,
	ONSRAM_A_STATS_SPM_USED,	/* u64 */
	ONSRAM_A_STATS_SPM_PEAK,	/* u64 */
	ONSRAM_A_STATS_HITS,		/* u64 */
	ONSRAM_A_STATS_MISSES,		/* u64 */
	ONSRAM_A_STATS_EVICTIONS,	/* u64 */
	ONSRAM_A_STATS_WRITEBACKS,	/* u64 */
	ONSRAM_A_STATS_PREFETCHES,	/* u64 */
	ONSRAM_A_STATS_FALLBACKS,	/* u64 */
	ONSRAM_A_STATS_EVENTS_LOST,	/* u64 */

	__ONSRAM_A_STATS_MAX,
	ONSRAM_A_STATS_MAX = __ONSRAM_A_STATS_MAX - 1
};

#endif
