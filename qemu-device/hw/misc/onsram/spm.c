/*
 * onsram accelerator: scratch-pad memory, its owners and its error correction
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/cutils.h"
#include "qemu/units.h"
#include "onsram.h"

#define RESET_BYTES (64 * KiB)

uint32_t onsram_spm_check(OnsramState *s, uint32_t asid, uint64_t offset,
                          uint64_t len, bool read, uint64_t *fault_addr)
{
    uint64_t last = offset + len - 1;

    if (last < offset || last >= s->model.spm_size) {
        *fault_addr = ONSRAM_ADDR_SPM | (offset & ~ONSRAM_ADDR_SPM);
        return ONSRAM_ST_SPM_RANGE;
    }
    for (uint64_t g = offset / ONSRAM_SPM_GRANULE;
         g <= last / ONSRAM_SPM_GRANULE; g++) {
        if (s->owner[g] != asid) {
            *fault_addr = ONSRAM_ADDR_SPM |
                          MAX(offset, g * ONSRAM_SPM_GRANULE);
            return ONSRAM_ST_SPM_OWNER;
        }
    }
    if (read && s->ecc_offset != ONSRAM_ECC_NONE &&
        offset < s->ecc_offset + ONSRAM_ECC_WORD && last >= s->ecc_offset) {
        *fault_addr = ONSRAM_ADDR_SPM | s->ecc_offset;
        return ONSRAM_ST_ECC;
    }
    return ONSRAM_ST_OK;
}

void onsram_spm_assign(OnsramState *s, uint64_t offset, uint64_t len,
                       uint16_t owner)
{
    for (uint64_t g = offset / ONSRAM_SPM_GRANULE;
         g < (offset + len) / ONSRAM_SPM_GRANULE; g++) {
        s->owned -= s->owner[g] != ONSRAM_OWNER_NONE;
        s->owner[g] = owner;
        s->owned += owner != ONSRAM_OWNER_NONE;
    }
}

void onsram_spm_scrub(OnsramState *s, uint64_t offset, uint64_t len)
{
    memset(s->spm_ptr + offset, 0, len);
    memory_region_set_dirty(&s->spm, offset, len);
    if (s->ecc_offset != ONSRAM_ECC_NONE && offset <= s->ecc_offset &&
        s->ecc_offset + ONSRAM_ECC_WORD <= offset + len) {
        s->ecc_offset = ONSRAM_ECC_NONE;
    }
}

/*
 * As after power-on: empty and nobody's.  What is empty is not written, so that
 * a large SPM takes no host memory before it is used.
 */
void onsram_spm_reset(OnsramState *s)
{
    for (uint64_t at = 0; at < s->model.spm_size; at += RESET_BYTES) {
        uint64_t n = MIN(RESET_BYTES, s->model.spm_size - at);

        if (!buffer_is_zero(s->spm_ptr + at, n)) {
            onsram_spm_scrub(s, at, n);
        }
    }
    s->ecc_offset = ONSRAM_ECC_NONE;
    memset(s->owner, 0xff, s->granules * sizeof(*s->owner));
    s->owned = 0;
}

uint64_t onsram_spm_staging(OnsramState *s)
{
    return s->model.spm_size - (uint64_t)s->owned * ONSRAM_SPM_GRANULE;
}
