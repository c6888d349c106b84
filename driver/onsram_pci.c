// SPDX-License-Identifier: GPL-2.0-only
/*
 * PCI function: probe, removal, power management, error recovery.
 */

#include <linux/dma-mapping.h>
#include <linux/pm_runtime.h>

#include <drm/drm_drv.h>

#include "onsram_device.h"
#include "onsram_netlink.h"

#define ONSRAM_AUTOSUSPEND_MS	200

static int onsram_pci_probe(struct pci_dev *pdev, const struct pci_device_id *id)
{
	struct device *dev = &pdev->dev;
	struct onsram_device *odev;
	int ret;

	odev = devm_drm_dev_alloc(dev, &onsram_drm_driver, struct onsram_device, drm);
	if (IS_ERR(odev))
		return PTR_ERR(odev);
	odev->pdev = pdev;
	pci_set_drvdata(pdev, odev);

	ret = pcim_enable_device(pdev);
	if (ret)
		return dev_err_probe(dev, ret, "cannot enable the function\n");
	ret = pcim_iomap_regions(pdev, BIT(ONSRAM_BAR_REGS), "onsram");
	if (ret)
		return dev_err_probe(dev, ret, "cannot map the registers\n");
	if (pci_resource_len(pdev, ONSRAM_BAR_REGS) < ONSRAM_BAR_REGS_SIZE)
		return dev_err_probe(dev, -ENODEV, "register BAR is too small\n");
	odev->regs = pcim_iomap_table(pdev)[ONSRAM_BAR_REGS];
	/* Table entries hold 52-bit addresses */
	ret = dma_set_mask_and_coherent(dev, DMA_BIT_MASK(52));
	if (ret)
		return dev_err_probe(dev, ret, "no usable DMA addressing\n");
	dma_set_max_seg_size(dev, UINT_MAX);
	pci_set_master(pdev);

	ret = onsram_device_init(odev);
	if (ret)
		return ret;
	onsram_debugfs_init(odev);
	ret = drm_dev_register(&odev->drm, 0);
	if (ret) {
		onsram_device_stop(odev);
		return ret;
	}
	ret = onsram_nl_device_add(odev);
	if (ret) {
		drm_dev_unplug(&odev->drm);
		onsram_device_stop(odev);
		return ret;
	}

	pm_runtime_set_autosuspend_delay(dev, ONSRAM_AUTOSUSPEND_MS);
	pm_runtime_use_autosuspend(dev);
	pm_runtime_mark_last_busy(dev);
	pm_runtime_allow(dev);
	pm_runtime_put_autosuspend(dev);
	return 0;
}

static void onsram_pci_remove(struct pci_dev *pdev)
{
	struct onsram_device *odev = pci_get_drvdata(pdev);
	bool present;

	pm_runtime_get_sync(&pdev->dev);
	pm_runtime_forbid(&pdev->dev);
	present = pci_device_is_present(pdev);
	onsram_nl_device_remove(odev);

	/* No job reaches a ring any more; those that are there may finish */
	drm_dev_unplug(&odev->drm);
	mutex_lock(&odev->reset_lock);
	if (present) {
		onsram_device_drain(odev);
		onsram_device_stop(odev);
	}
	onsram_device_fail(odev, -ENODEV);
	mutex_unlock(&odev->reset_lock);
	onsram_agent_wake(odev);
	flush_workqueue(odev->tdr_wq);
	flush_workqueue(onsram_wq);
}

static void onsram_pci_shutdown(struct pci_dev *pdev)
{
	struct onsram_device *odev = pci_get_drvdata(pdev);

	pm_runtime_get_sync(&pdev->dev);
	onsram_device_stop(odev);
}

static int onsram_runtime_suspend(struct device *dev)
{
	struct onsram_device *odev = dev_get_drvdata(dev);

	/* D3hot keeps the SPM: tensors stay where they are */
	return onsram_device_power_down(odev);
}

static int onsram_runtime_resume(struct device *dev)
{
	return onsram_device_power_up(dev_get_drvdata(dev));
}

static int onsram_suspend(struct device *dev)
{
	struct onsram_device *odev = dev_get_drvdata(dev);
	u32 e;
	int ret;

	ret = pm_runtime_resume_and_get(dev);
	if (ret < 0)
		return ret;
	mutex_lock(&odev->reset_lock);
	for (e = 0; e < odev->nr_engines; e++)
		drm_sched_wqueue_stop(&odev->engine[e].sched);
	ret = onsram_device_drain(odev);
	if (!ret)
		ret = onsram_device_save(odev);
	if (ret) {
		for (e = 0; e < odev->nr_engines; e++)
			drm_sched_wqueue_start(&odev->engine[e].sched);
		mutex_unlock(&odev->reset_lock);
		pm_runtime_put_autosuspend(dev);
		return ret;
	}
	onsram_device_stop(odev);
	mutex_unlock(&odev->reset_lock);
	return 0;
}

static int onsram_resume(struct device *dev)
{
	struct onsram_device *odev = dev_get_drvdata(dev);
	u32 e;
	int ret;

	mutex_lock(&odev->reset_lock);
	mutex_lock(&odev->spm.lock);
	onsram_residency_reset(&odev->spm);
	mutex_unlock(&odev->spm.lock);
	ret = onsram_device_start(odev);
	for (e = 0; e < odev->nr_engines; e++)
		drm_sched_wqueue_start(&odev->engine[e].sched);
	mutex_unlock(&odev->reset_lock);
	pm_runtime_put_autosuspend(dev);
	return ret;
}

static _DEFINE_DEV_PM_OPS(onsram_pm_ops, onsram_suspend, onsram_resume, onsram_runtime_suspend,
			  onsram_runtime_resume, NULL);

/* A reset holds reset_lock from the first callback to the last */
static void onsram_freeze(struct onsram_device *odev)
{
	if (odev->frozen)
		return;
	mutex_lock(&odev->reset_lock);
	odev->frozen = true;
	onsram_sched_stop(odev);
}

static void onsram_thaw(struct onsram_device *odev)
{
	if (!odev->frozen)
		return;
	onsram_device_fail(odev, -EIO);
	onsram_device_start(odev);
	onsram_sched_start(odev);
	odev->frozen = false;
	mutex_unlock(&odev->reset_lock);
}

static void onsram_reset_prepare(struct pci_dev *pdev)
{
	struct onsram_device *odev = pci_get_drvdata(pdev);

	onsram_freeze(odev);
	onsram_device_stop(odev);
}

static void onsram_reset_done(struct pci_dev *pdev)
{
	onsram_thaw(pci_get_drvdata(pdev));
}

static pci_ers_result_t onsram_error_detected(struct pci_dev *pdev, pci_channel_state_t state)
{
	struct onsram_device *odev = pci_get_drvdata(pdev);

	if (state == pci_channel_io_normal)
		return PCI_ERS_RESULT_CAN_RECOVER;
	onsram_freeze(odev);
	if (state == pci_channel_io_frozen)
		return PCI_ERS_RESULT_NEED_RESET;

	onsram_device_fail(odev, -ENODEV);
	onsram_sched_start(odev);
	odev->frozen = false;
	mutex_unlock(&odev->reset_lock);
	return PCI_ERS_RESULT_DISCONNECT;
}

static pci_ers_result_t onsram_slot_reset(struct pci_dev *pdev)
{
	pci_restore_state(pdev);
	pci_save_state(pdev);
	pci_set_master(pdev);
	return PCI_ERS_RESULT_RECOVERED;
}

static void onsram_error_resume(struct pci_dev *pdev)
{
	onsram_thaw(pci_get_drvdata(pdev));
}

static const struct pci_error_handlers onsram_err_handlers = {
	.error_detected = onsram_error_detected,
	.slot_reset = onsram_slot_reset,
	.resume = onsram_error_resume,
	.reset_prepare = onsram_reset_prepare,
	.reset_done = onsram_reset_done,
};

static const struct pci_device_id onsram_pci_ids[] = {
	{ PCI_DEVICE(ONSRAM_PCI_VENDOR_ID, ONSRAM_PCI_DEVICE_ID) },
	{ }
};
MODULE_DEVICE_TABLE(pci, onsram_pci_ids);

struct pci_driver onsram_pci_driver = {
	.name = "onsram",
	.id_table = onsram_pci_ids,
	.probe = onsram_pci_probe,
	.remove = onsram_pci_remove,
	.shutdown = onsram_pci_shutdown,
	.err_handler = &onsram_err_handlers,
	.dev_groups = onsram_attr_groups,
	.driver.pm = pm_ptr(&onsram_pm_ops),
};
