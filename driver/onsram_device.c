// SPDX-License-Identifier: GPL-2.0-only
/*
 * The device as a whole: discovery, start, interrupts.
 */

#include <linux/dma-mapping.h>
#include <linux/io-64-nonatomic-lo-hi.h>
#include <linux/iopoll.h>
#include <linux/pm_runtime.h>

#include <drm/drm_drv.h>
#include <drm/drm_managed.h>

#include "onsram_device.h"
#include "onsram_job.h"
#include "onsram_netlink.h"

#define ONSRAM_ENGINE_RESET_US	(1 * USEC_PER_SEC)
#define ONSRAM_RESET_TIMEOUT_US	(2 * USEC_PER_SEC)
#define ONSRAM_DRAIN_TIMEOUT	(10 * HZ)

/* Devices whose memory is still there: files and jobs may outlive the PCI function */
static atomic_t onsram_devices;
static DECLARE_WAIT_QUEUE_HEAD(onsram_devices_wait);

void onsram_wait_devices(void)
{
	wait_event(onsram_devices_wait, !atomic_read(&onsram_devices));
}

struct onsram_dma_block {
	size_t size;
	void *cpu;
	dma_addr_t dma;
};

static void onsram_dma_free(struct drm_device *drm, void *data)
{
	struct onsram_dma_block *block = data;

	dma_free_coherent(drm->dev, block->size, block->cpu, block->dma);
}

void *onsram_dma_alloc(struct onsram_device *odev, size_t size, dma_addr_t *dma)
{
	struct onsram_dma_block *block;

	block = drmm_kzalloc(&odev->drm, sizeof(*block), GFP_KERNEL);
	if (!block)
		return NULL;
	block->size = size;
	block->cpu = dma_alloc_coherent(odev->drm.dev, size, &block->dma, GFP_KERNEL);
	if (!block->cpu || drmm_add_action_or_reset(&odev->drm, onsram_dma_free, block))
		return NULL;
	*dma = block->dma;
	return block->cpu;
}

void onsram_tlb_invalidate(struct onsram_device *odev, u32 asid)
{
	int active = 1, idx;

	if (!drm_dev_enter(&odev->drm, &idx))
		return;
	/* One that is off drops all translations when it is switched on */
	if (IS_ENABLED(CONFIG_PM))
		active = pm_runtime_get_if_active(odev->drm.dev);
	if (active > 0)
		writel(asid, odev->regs + ONSRAM_REG_TLB_INVALIDATE);
	if (active > 0 && IS_ENABLED(CONFIG_PM))
		pm_runtime_put_autosuspend(odev->drm.dev);
	drm_dev_exit(idx);
}

int onsram_engine_wait_stopped(struct onsram_engine *engine)
{
	u32 value;

	/* All ones: there is no device any more */
	return read_poll_timeout(onsram_engine_read, value,
				 !(value & ONSRAM_ENG_BUSY) || value == ~0u, 10,
				 ONSRAM_ENGINE_RESET_US, false, engine, ONSRAM_ENG_STATUS);
}

/* A device that nothing stops writes to memory that will be somebody else's: not this one */
static void onsram_device_wedge(struct onsram_device *odev, const char *why)
{
	pci_clear_master(odev->pdev);
	WRITE_ONCE(odev->wedged, true);
	dev_err(odev->drm.dev, "%s: kept from memory, jobs fail from now on\n", why);
}

static bool onsram_engines_stopped(struct onsram_device *odev)
{
	bool stopped = true;
	u32 e;

	for (e = 0; e < odev->nr_engines; e++)
		stopped &= !onsram_engine_wait_stopped(&odev->engine[e]);
	return stopped;
}

/* -EIO where the device does not come out of its reset */
static int onsram_device_reset_registers(struct onsram_device *odev)
{
	u32 value;
	int ret;

	writel(ONSRAM_CTRL_RESET, odev->regs + ONSRAM_REG_CTRL);
	ret = readl_poll_timeout(odev->regs + ONSRAM_REG_CTRL, value,
				 !(value & ONSRAM_CTRL_RESET), 10, ONSRAM_RESET_TIMEOUT_US);
	if (!ret)
		ret = readl_poll_timeout(odev->regs + ONSRAM_REG_STATUS, value,
					 value & ONSRAM_STATUS_READY, 10, ONSRAM_RESET_TIMEOUT_US);
	return ret || !onsram_engines_stopped(odev) ? -EIO : 0;
}

int onsram_device_start(struct onsram_device *odev)
{
	u32 e;
	int ret;

	ret = onsram_device_reset_registers(odev);
	if (ret) {
		onsram_device_wedge(odev, "no way out of reset");
		return ret;
	}
	if (!odev->pdev->is_busmaster)
		pci_set_master(odev->pdev);

	writel(~0u, odev->regs + ONSRAM_REG_INTR_STATUS);
	writeq(odev->ctx_table_dma, odev->regs + ONSRAM_REG_CTX_TABLE);
	mutex_lock(&odev->poll_lock);
	mutex_lock(&odev->spm.lock);
	for (e = 0; e < odev->nr_engines; e++)
		onsram_engine_start(&odev->engine[e]);
	mutex_unlock(&odev->spm.lock);
	mutex_unlock(&odev->poll_lock);
	WRITE_ONCE(odev->wedged, false);
	writel(ONSRAM_CTRL_ENABLE, odev->regs + ONSRAM_REG_CTRL);
	return 0;
}

void onsram_device_stop(struct onsram_device *odev)
{
	u32 e;

	writel(0, odev->regs + ONSRAM_REG_CTRL);
	for (e = 0; e < odev->nr_engines; e++)
		onsram_engine_write(&odev->engine[e], ONSRAM_ENG_CTRL, ONSRAM_ENG_RESET);
	if (!onsram_engines_stopped(odev))
		onsram_device_wedge(odev, "an engine does not stop");
	for (e = 0; e < odev->nr_engines; e++)
		synchronize_irq(odev->engine[e].irq);
}

int onsram_device_power_down(struct onsram_device *odev)
{
	struct onsram_order *order = &odev->spm.order;
	bool idle = true;
	u32 e;

	mutex_lock(&odev->spm.lock);
	for (e = 0; e < odev->nr_engines; e++)
		idle &= order->done[e] == order->seq[e];
	mutex_unlock(&odev->spm.lock);
	if (!idle)
		return -EBUSY;
	writel(0, odev->regs + ONSRAM_REG_CTRL);
	return 0;
}

int onsram_device_power_up(struct onsram_device *odev)
{
	if (readq(odev->regs + ONSRAM_REG_CTX_TABLE) == odev->ctx_table_dma) {
		/* Writing it drops the translations that nobody invalidated meanwhile */
		writeq(odev->ctx_table_dma, odev->regs + ONSRAM_REG_CTX_TABLE);
		writel(ONSRAM_CTRL_ENABLE, odev->regs + ONSRAM_REG_CTRL);
		return 0;
	}
	onsram_device_fail(odev, -EIO);
	return onsram_device_start(odev);
}

static bool onsram_device_idle(struct onsram_device *odev, const struct onsram_needs *needs)
{
	return READ_ONCE(odev->wedged) || onsram_needs_met(&odev->spm.order, needs);
}

int onsram_device_drain(struct onsram_device *odev)
{
	struct onsram_needs needs;

	mutex_lock(&odev->spm.lock);
	memcpy(needs.seq, odev->spm.order.seq, sizeof(needs.seq));
	mutex_unlock(&odev->spm.lock);
	return wait_event_timeout(odev->idle_wait, onsram_device_idle(odev, &needs),
				  ONSRAM_DRAIN_TIMEOUT) ? 0 : -ETIMEDOUT;
}

struct onsram_save_emit {
	struct onsram_emit base;
	struct onsram_device *odev;
};

static void onsram_save_push(struct onsram_emit *emit, const struct onsram_hw_cmd *cmd,
			     const struct onsram_hw_windows *windows,
			     const struct onsram_action *action)
{
	struct onsram_save_emit *save = container_of(emit, struct onsram_save_emit, base);

	onsram_engine_put(&save->odev->engine[action->engine], cmd, windows, action, NULL, 0);
}

int onsram_device_save(struct onsram_device *odev)
{
	struct onsram_engine *copy = onsram_copy_engine(odev);
	struct onsram_save_emit save = {
		.base.push = onsram_save_push,
		.base.engine = copy->id,
		.base.mover = copy->id,
		.odev = odev,
	};
	int ret, err = 0;

	do {
		mutex_lock(&odev->spm.lock);
		save.base.room = copy->entries - 1 - ONSRAM_EMIT_WAITS;
		save.base.waits = ONSRAM_EMIT_WAITS;
		ret = onsram_residency_drop_all(&odev->spm, &save.base);
		onsram_engine_kick(copy);
		mutex_unlock(&odev->spm.lock);
		err = onsram_device_drain(odev);
	} while (ret == -ENOSPC && !err);

	return ret ? ret : err;
}

static irqreturn_t onsram_fault_irq(int irq, void *data)
{
	struct onsram_device *odev = data;
	u32 lost;

	writel(ONSRAM_INTR_FAULT, odev->regs + ONSRAM_REG_INTR_STATUS);
	while (readl(odev->regs + ONSRAM_REG_FAULT_COUNT)) {
		u32 cause = readl(odev->regs + ONSRAM_REG_FAULT_CAUSE);

		/* All ones: the device is gone */
		if (cause == ~0u)
			return IRQ_HANDLED;
		dev_err_ratelimited(odev->drm.dev,
				    "fault %u at %#llx, context %u, engine %u, command %u\n", cause,
				    readq(odev->regs + ONSRAM_REG_FAULT_ADDR),
				    readl(odev->regs + ONSRAM_REG_FAULT_CTX),
				    readl(odev->regs + ONSRAM_REG_FAULT_ENGINE),
				    readl(odev->regs + ONSRAM_REG_FAULT_SEQ));
		writel(1, odev->regs + ONSRAM_REG_FAULT_POP);
	}
	lost = readl(odev->regs + ONSRAM_REG_FAULT_LOST);
	if (lost)
		dev_err_ratelimited(odev->drm.dev, "%u faults were not recorded\n", lost);
	return IRQ_HANDLED;
}

/* The pin is level-triggered and other devices may share it: quench it here, look later */
static irqreturn_t onsram_intx(int irq, void *data)
{
	struct onsram_device *odev = data;
	u32 latched = readl(odev->regs + ONSRAM_REG_INTR_STATUS);

	/* All ones: no power, or gone */
	if (!latched || latched == ~0u)
		return IRQ_NONE;
	writel(latched, odev->regs + ONSRAM_REG_INTR_STATUS);
	atomic_or(latched, &odev->intx_latched);
	return IRQ_WAKE_THREAD;
}

static irqreturn_t onsram_intx_thread(int irq, void *data)
{
	struct onsram_device *odev = data;
	u32 latched = atomic_xchg(&odev->intx_latched, 0);
	u32 e;

	for (e = 0; e < odev->nr_engines; e++)
		if (latched & BIT(e))
			onsram_engine_irq(irq, &odev->engine[e]);
	if (latched & ONSRAM_INTR_FAULT)
		onsram_fault_irq(irq, odev);
	return IRQ_HANDLED;
}

/* One line for all: the machine has no MSI-X, or too few vectors left */
static int onsram_request_intx(struct onsram_device *odev)
{
	struct device *dev = odev->drm.dev;
	int ret;
	u32 e;

	ret = pci_alloc_irq_vectors(odev->pdev, 1, 1, PCI_IRQ_INTX);
	if (ret < 0)
		return dev_err_probe(dev, ret, "has neither %u MSI-X vectors nor an INTx line\n",
				     odev->nr_engines + 1);
	for (e = 0; e < odev->nr_engines; e++)
		odev->engine[e].irq = pci_irq_vector(odev->pdev, 0);
	dev_info(dev, "no %u MSI-X vectors: all interrupts share INTx\n", odev->nr_engines + 1);
	return devm_request_threaded_irq(dev, pci_irq_vector(odev->pdev, 0), onsram_intx,
					 onsram_intx_thread, IRQF_SHARED, dev_name(dev), odev);
}

static int onsram_request_irqs(struct onsram_device *odev)
{
	u32 vectors = odev->nr_engines + 1;
	struct device *dev = odev->drm.dev;
	u32 e;
	int ret;

	ret = pci_alloc_irq_vectors(odev->pdev, vectors, vectors, PCI_IRQ_MSIX);
	if (ret < 0)
		return onsram_request_intx(odev);

	for (e = 0; e < odev->nr_engines; e++) {
		struct onsram_engine *engine = &odev->engine[e];

		engine->irq = pci_irq_vector(odev->pdev, e);
		ret = devm_request_threaded_irq(dev, engine->irq, NULL, onsram_engine_irq,
						IRQF_ONESHOT, dev_name(dev), engine);
		if (ret)
			return ret;
	}
	return devm_request_threaded_irq(dev, pci_irq_vector(odev->pdev, e), NULL,
					 onsram_fault_irq, IRQF_ONESHOT, dev_name(dev), odev);
}

static int onsram_identify(struct onsram_device *odev)
{
	u64 *model = (u64 *)&odev->model;
	struct device *dev = odev->drm.dev;
	u32 id = readl(odev->regs + ONSRAM_REG_ID);
	u32 i;

	odev->version = readl(odev->regs + ONSRAM_REG_VERSION);
	odev->caps = readl(odev->regs + ONSRAM_REG_CAPS);
	odev->nr_engines = readl(odev->regs + ONSRAM_REG_ENGINES);
	if (id != ONSRAM_ID_MAGIC || odev->version >> 16 != ONSRAM_VERSION >> 16)
		return dev_err_probe(dev, -ENODEV, "id %#x version %#x is not supported\n", id,
				     odev->version);
	for (i = 0; i < sizeof(odev->model) / sizeof(*model); i++)
		model[i] = readq(odev->regs + ONSRAM_REG_MODEL + i * sizeof(*model));
	odev->max_op_work = readq(odev->regs + ONSRAM_REG_MAX_OP_WORK);
	if (odev->nr_engines < 2 || odev->nr_engines > ONSRAM_MAX_ENGINES ||
	    odev->nr_engines != odev->model.compute_engines + 1)
		return dev_err_probe(dev, -ENODEV, "%u engines\n", odev->nr_engines);
	return 0;
}

static void onsram_device_release(struct drm_device *drm, void *data)
{
	struct onsram_device *odev = data;

	/* Interrupts and recovery queue it whenever they like, and it holds no reference */
	cancel_work_sync(&odev->reap);
	WARN_ON(!list_empty(&odev->zombies));
	onsram_spm_fini(&odev->spm);
	drm_mm_takedown(&odev->va_mm);
	xa_destroy(&odev->graphs);
	xa_destroy(&odev->contexts);
	destroy_workqueue(odev->tdr_wq);
	if (atomic_dec_and_test(&onsram_devices))
		wake_up_all(&onsram_devices_wait);
}

static int onsram_init_software(struct onsram_device *odev)
{
	struct drm_device *drm = &odev->drm;
	int ret;

	ret = drmm_mutex_init(drm, &odev->va_lock);
	if (!ret)
		ret = drmm_mutex_init(drm, &odev->open_lock);
	if (!ret)
		ret = drmm_mutex_init(drm, &odev->submit_lock);
	if (!ret)
		ret = drmm_mutex_init(drm, &odev->reset_lock);
	if (!ret)
		ret = drmm_mutex_init(drm, &odev->poll_lock);
	if (!ret)
		ret = onsram_coredump_init(odev);
	if (ret)
		return ret;
	init_waitqueue_head(&odev->idle_wait);
	odev->ring_ops = &onsram_job_ring_ops;
	spin_lock_init(&odev->stats_lock);
	spin_lock_init(&odev->charge_lock);
	INIT_LIST_HEAD(&odev->zombies);
	INIT_WORK(&odev->reap, onsram_bo_reap);
	spin_lock_init(&odev->policy_lock);
	odev->policy.kind = DRM_ONSRAM_POLICY_LRU;
	odev->fallback = DRM_ONSRAM_POLICY_LRU;

	odev->tdr_wq = alloc_ordered_workqueue("onsram-tdr", 0);
	if (!odev->tdr_wq)
		return -ENOMEM;
	ret = onsram_spm_init(&odev->spm, odev->model.spm_size, odev->nr_engines);
	if (ret) {
		destroy_workqueue(odev->tdr_wq);
		return dev_err_probe(drm->dev, ret, "SPM of %llu bytes cannot be managed\n",
				     odev->model.spm_size);
	}
	xa_init_flags(&odev->contexts, XA_FLAGS_ALLOC);
	xa_init_flags(&odev->graphs, XA_FLAGS_ALLOC1);
	/* Address 0 stays unmapped */
	drm_mm_init(&odev->va_mm, ONSRAM_PAGE_SIZE, ONSRAM_VA_SIZE - ONSRAM_PAGE_SIZE);
	atomic_inc(&onsram_devices);
	return drmm_add_action_or_reset(drm, onsram_device_release, odev);
}

int onsram_device_init(struct onsram_device *odev)
{
	u32 e;
	int ret;

	BUILD_BUG_ON(sizeof(struct onsram_hw_cmd) != 512);
	BUILD_BUG_ON(sizeof(struct onsram_hw_cpl) != 128);

	ret = onsram_identify(odev);
	if (!ret)
		ret = onsram_init_software(odev);
	if (!ret)
		ret = onsram_nl_device_init(odev);
	if (ret)
		return ret;

	odev->ctx_table = onsram_dma_alloc(odev, ONSRAM_MAX_CONTEXTS * sizeof(u64),
					   &odev->ctx_table_dma);
	if (!odev->ctx_table)
		return -ENOMEM;
	for (e = 0; e < odev->nr_engines; e++) {
		ret = onsram_engine_init(odev, e, &onsram_sched_ops);
		if (ret)
			return ret;
	}
	ret = onsram_request_irqs(odev);
	if (ret)
		return ret;
	return onsram_device_start(odev);
}
