/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the objects of clients cost in memory, and how much of it they may take.
 */
#ifndef _ONSRAM_ACCOUNT_H_
#define _ONSRAM_ACCOUNT_H_

#include <linux/types.h>

struct onsram_context;
struct onsram_device;

/**
 * onsram_charge() - counts @bytes for the context and its device; -ENOSPC where that is more
 * than the module parameters device_mem_percent and client_mem_percent allow, -ENOMEM where the
 * machine is about to run out
 */
int onsram_charge(struct onsram_context *ctx, u64 bytes);
/**
 * onsram_charge_anyway() - likewise for what must not fail and is small beside the object that
 * it belongs to (page tables, a write-back): the next object finds less room
 */
void onsram_charge_anyway(struct onsram_context *ctx, u64 bytes);
/** onsram_uncharge() - undoes either */
void onsram_uncharge(struct onsram_context *ctx, u64 bytes);
/** onsram_charged() - bytes that the context's objects cost now */
u64 onsram_charged(struct onsram_context *ctx);
/** onsram_device_charged() - likewise of all contexts */
u64 onsram_device_charged(struct onsram_device *odev);
/** onsram_device_charge_limit() - the most that all contexts of a device may cost, bytes */
u64 onsram_device_charge_limit(void);

/** onsram_bo_cost() - bytes of memory that a buffer of @size takes, but for page tables */
u64 onsram_bo_cost(u64 size);

#endif
