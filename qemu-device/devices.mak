# SPDX-License-Identifier: GPL-2.0-or-later
# The devices of the onsram machine, chosen instead of QEMU's default list.
CONFIG_Q35=y
CONFIG_VTD=y
CONFIG_PCIE_PORT=y
CONFIG_VIRTIO_PCI=y
CONFIG_VIRTIO_9P=y
CONFIG_VIRTIO_SERIAL=y
CONFIG_VIRTIO_IOMMU=y
CONFIG_ISA_DEBUG=y
CONFIG_ONSRAM=y
