/*
 * QTest testcase for the onsram accelerator
 *
 * Registers, rings, operations and their modelled times stand here; faults and
 * the lifecycle in the files included below.  Expected times are worked out by
 * hand from the default model: 133,333 ps a command, 100,000 ps a command's
 * first DRAM access, 32 GB/s of DRAM, 384 GB/s of SPM, 1.5e12 MAC/s.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "onsram-harness.h"
#include "qobject/qdict.h"

#define COMMAND_PS  133333ull
#define DRAM_PS     100000ull

static void test_identity(void)
{
    Harness *h = harness_boot(",spm-size=4M,compute-engines=2", "");
    uint64_t size;
    uint8_t exp;

    g_assert_cmphex(qpci_config_readw(h->dev, PCI_VENDOR_ID), ==, 0x1234);
    g_assert_cmphex(qpci_config_readw(h->dev, PCI_DEVICE_ID), ==, 0x5350);
    g_assert_cmphex(qpci_config_readw(h->dev, PCI_CLASS_DEVICE), ==, 0x1200);

    qpci_iomap(h->dev, ONSRAM_BAR_REGS, &size);
    g_assert_cmphex(size, ==, ONSRAM_BAR_REGS_SIZE);
    qpci_iomap(h->dev, ONSRAM_BAR_SPM, &size);
    g_assert_cmphex(size, ==, 4 * MiB);
    g_assert_cmphex(qpci_config_readl(h->dev, PCI_BASE_ADDRESS_2) & 0xf, ==,
                    PCI_BASE_ADDRESS_MEM_TYPE_64 |
                    PCI_BASE_ADDRESS_MEM_PREFETCH);

    g_assert_cmpuint(qpci_msix_table_size(h->dev), ==, 4);
    g_assert_cmpuint(qpci_find_capability(h->dev, PCI_CAP_ID_PM, 0), !=, 0);
    exp = qpci_find_capability(h->dev, PCI_CAP_ID_EXP, 0);
    g_assert_cmpuint(exp, !=, 0);
    g_assert_true(qpci_config_readl(h->dev, exp + PCI_EXP_DEVCAP) &
                  PCI_EXP_DEVCAP_FLR);
    harness_quit(h);
}

static void check_reset_values(Harness *h)
{
    static const uint16_t zero[] = {
        ONSRAM_REG_CTRL, ONSRAM_REG_INTR_STATUS, ONSRAM_REG_FAULT_COUNT,
        ONSRAM_REG_FAULT_CAUSE, ONSRAM_REG_FAULT_ADDR, ONSRAM_REG_FAULT_CTX,
        ONSRAM_REG_FAULT_ENGINE, ONSRAM_REG_FAULT_SEQ, ONSRAM_REG_FAULT_LOST,
    };
    static const uint8_t engine_zero[] = {
        ONSRAM_ENG_RING_SIZE, ONSRAM_ENG_CTRL, ONSRAM_ENG_STATUS,
        ONSRAM_ENG_DOORBELL, ONSRAM_ENG_HEAD,
    };

    g_assert_cmphex(rd(h, ONSRAM_REG_ID), ==, ONSRAM_ID_MAGIC);
    g_assert_cmphex(rd(h, ONSRAM_REG_VERSION), ==, ONSRAM_VERSION);
    g_assert_cmpuint(rd(h, ONSRAM_REG_ENGINES), ==, h->copy + 1);
    g_assert_cmphex(rd(h, ONSRAM_REG_STATUS), ==, ONSRAM_STATUS_READY);
    for (size_t i = 0; i < ARRAY_SIZE(zero); i++) {
        g_assert_cmphex(rd(h, zero[i]), ==, 0);
    }
    g_assert_cmphex(rd64(h, ONSRAM_REG_CTX_TABLE), ==, 0);
    g_assert_cmphex(rd64(h, ONSRAM_REG_TIME), ==, 0);
    for (int i = 0; i < ONSRAM_NUM_SEMAPHORES; i++) {
        g_assert_cmphex(rd64(h, ONSRAM_REG_SEM(i)), ==, 0);
    }
    for (uint32_t e = 0; e <= h->copy; e++) {
        for (size_t i = 0; i < ARRAY_SIZE(engine_zero); i++) {
            g_assert_cmphex(eng_rd(h, e, engine_zero[i]), ==, 0);
        }
        g_assert_cmphex(rd64(h, ONSRAM_REG_ENGINE(e) + ONSRAM_ENG_RING_BASE),
                        ==, 0);
        g_assert_cmphex(rd64(h, ONSRAM_REG_ENGINE(e) + ONSRAM_ENG_CPL_BASE),
                        ==, 0);
        g_assert_cmphex(rd64(h, ONSRAM_REG_ENGINE(e) + ONSRAM_ENG_HEAD_BASE),
                        ==, 0);
        g_assert_cmphex(rd64(h, ONSRAM_REG_ENGINE(e) + ONSRAM_ENG_WIN_BASE),
                        ==, 0);
    }
}

static void test_registers(void)
{
    Harness *h = harness_boot("", "");
    uint64_t e0 = ONSRAM_REG_ENGINE(0);

    check_reset_values(h);
    g_assert_cmphex(rd(h, ONSRAM_REG_CAPS), ==, ONSRAM_CAP_FUNCTIONAL);

    /* The model, in the order of its fields */
    g_assert_cmpuint(rd64(h, ONSRAM_REG_MODEL + 0x00), ==, 2 * MiB);
    g_assert_cmpuint(rd64(h, ONSRAM_REG_MODEL + 0x08), ==, 3000000000000ull);
    g_assert_cmpuint(rd64(h, ONSRAM_REG_MODEL + 0x18), ==, 32000000000ull);
    g_assert_cmpuint(rd64(h, ONSRAM_REG_MODEL + 0x30), ==, COMMAND_PS);
    g_assert_cmpuint(rd64(h, ONSRAM_REG_MODEL + 0x48), ==, 1);
    g_assert_cmpuint(rd64(h, ONSRAM_REG_MODEL + 8 * 15), ==, 0);

    /* Read-only ones stay */
    wr(h, ONSRAM_REG_ID, 0);
    wr(h, ONSRAM_REG_ENGINES, 0);
    wr64(h, ONSRAM_REG_TIME, 5);
    wr64(h, ONSRAM_REG_MODEL, 5);
    wr(h, ONSRAM_REG_FAULT_COUNT, 5);
    wr(h, e0 + ONSRAM_ENG_STATUS, 5);
    wr64(h, ONSRAM_REG_ENGINE(2), 4096);
    check_reset_values(h);

    /* 64-bit registers also take halves; base addresses are aligned */
    wr(h, ONSRAM_REG_SEM(3) + 4, 0x12345678);
    wr(h, ONSRAM_REG_SEM(3), 0x9abcdef0);
    g_assert_cmphex(rd64(h, ONSRAM_REG_SEM(3)), ==, 0x123456789abcdef0ull);
    g_assert_cmphex(rd(h, ONSRAM_REG_SEM(3) + 4), ==, 0x12345678);
    wr64(h, ONSRAM_REG_CTX_TABLE, 0x12345678fffull);
    g_assert_cmphex(rd64(h, ONSRAM_REG_CTX_TABLE), ==, 0x12345678000ull);
    wr64(h, e0 + ONSRAM_ENG_RING_BASE, 0x1fff);
    g_assert_cmphex(rd64(h, e0 + ONSRAM_ENG_RING_BASE), ==, 0x1000);
    wr64(h, e0 + ONSRAM_ENG_HEAD_BASE, 0x1fff);
    g_assert_cmphex(rd64(h, e0 + ONSRAM_ENG_HEAD_BASE), ==, 0x1ff8);

    /* Ring sizes */
    for (uint32_t bad = 0; bad < 16; bad++) {
        wr(h, e0 + ONSRAM_ENG_RING_SIZE, bad);
        g_assert_cmpuint(rd(h, e0 + ONSRAM_ENG_RING_SIZE), ==, 0);
    }
    wr(h, e0 + ONSRAM_ENG_CTRL, ONSRAM_ENG_ENABLE);
    g_assert_cmphex(rd(h, e0 + ONSRAM_ENG_CTRL), ==, 0);
    wr(h, e0 + ONSRAM_ENG_RING_SIZE, 48);
    g_assert_cmpuint(rd(h, e0 + ONSRAM_ENG_RING_SIZE), ==, 0);
    wr(h, e0 + ONSRAM_ENG_RING_SIZE, 2 * ONSRAM_RING_MAX);
    g_assert_cmpuint(rd(h, e0 + ONSRAM_ENG_RING_SIZE), ==, 0);
    wr(h, e0 + ONSRAM_ENG_RING_SIZE, ONSRAM_RING_MAX);
    g_assert_cmpuint(rd(h, e0 + ONSRAM_ENG_RING_SIZE), ==, ONSRAM_RING_MAX);
    wr(h, e0 + ONSRAM_ENG_RING_SIZE, 16);

    /* A tail beyond the ring is refused; so is a head beyond the tail */
    wr(h, e0 + ONSRAM_ENG_DOORBELL, 17);
    g_assert_cmpuint(rd(h, e0 + ONSRAM_ENG_DOORBELL), ==, 0);
    wr(h, e0 + ONSRAM_ENG_DOORBELL, 16);
    g_assert_cmpuint(rd(h, e0 + ONSRAM_ENG_DOORBELL), ==, 16);
    wr(h, e0 + ONSRAM_ENG_HEAD, 17);
    g_assert_cmpuint(rd(h, e0 + ONSRAM_ENG_HEAD), ==, 0);
    wr(h, e0 + ONSRAM_ENG_HEAD, 16);
    g_assert_cmpuint(rd(h, e0 + ONSRAM_ENG_HEAD), ==, 16);

    /* An enabled engine keeps its set-up */
    wr(h, e0 + ONSRAM_ENG_CTRL, ONSRAM_ENG_ENABLE);
    wr64(h, e0 + ONSRAM_ENG_RING_BASE, 0x5000);
    g_assert_cmphex(rd64(h, e0 + ONSRAM_ENG_RING_BASE), ==, 0x1000);
    wr(h, e0 + ONSRAM_ENG_RING_SIZE, 32);
    g_assert_cmpuint(rd(h, e0 + ONSRAM_ENG_RING_SIZE), ==, 16);
    wr(h, e0 + ONSRAM_ENG_HEAD, 15);
    g_assert_cmpuint(rd(h, e0 + ONSRAM_ENG_HEAD), ==, 16);

    wr(h, ONSRAM_REG_CTRL, ONSRAM_CTRL_RESET);
    check_reset_values(h);
    harness_quit(h);
}

static void test_ring(void)
{
    Harness *h = harness_new("");
    struct onsram_hw_cmd cmd = cmd_nop();
    struct onsram_hw_cpl cpl;

    /* Three times round the ring */
    for (int round = 0; round < 3; round++) {
        uint32_t slot = 0;

        for (int i = 0; i < RING_ENTRIES; i++) {
            cmd.flags = i == RING_ENTRIES - 1 ? ONSRAM_CMDF_IRQ : 0;
            slot = queue(h, COMPUTE, &cmd);
        }
        g_assert_cmphex(rd(h, ONSRAM_REG_INTR_STATUS), ==, 0);
        ring_bell(h, COMPUTE);
        wait_idle(h, COMPUTE);
        g_assert_cmpuint(slot, ==, RING_ENTRIES - 1);
        for (slot = 0; slot < RING_ENTRIES; slot++) {
            cpl = record(h, COMPUTE, slot);
            g_assert_cmpuint(cpl.seq, ==, round * RING_ENTRIES + slot + 1);
            g_assert_cmpuint(cpl.status, ==, ONSRAM_ST_OK);
            g_assert_cmpuint(cpl.start_ps, ==, 0);
            g_assert_cmpuint(cpl.end_ps, ==, 0);
        }
        g_assert_cmpuint(qtest_readl(h->qts, HEAD(COMPUTE)), ==,
                         h->tail[COMPUTE]);
        g_assert_cmphex(rd(h, ONSRAM_REG_INTR_STATUS), ==, 1);
        wr(h, ONSRAM_REG_INTR_STATUS, 1);
    }
    g_assert_cmphex(eng_rd(h, COMPUTE, ONSRAM_ENG_STATUS), ==, 0);

    /* A stopped engine takes the doorbell and waits; so does the device */
    eng_wr(h, COMPUTE, ONSRAM_ENG_CTRL, 0);
    queue(h, COMPUTE, &cmd);
    ring_bell(h, COMPUTE);
    g_usleep(20000);
    g_assert_cmpuint(eng_rd(h, COMPUTE, ONSRAM_ENG_HEAD), ==, 48);
    wr(h, ONSRAM_REG_CTRL, 0);
    eng_wr(h, COMPUTE, ONSRAM_ENG_CTRL, ONSRAM_ENG_ENABLE);
    g_usleep(20000);
    g_assert_cmpuint(eng_rd(h, COMPUTE, ONSRAM_ENG_HEAD), ==, 48);
    wr(h, ONSRAM_REG_CTRL, ONSRAM_CTRL_ENABLE);
    wait_idle(h, COMPUTE);
    harness_quit(h);
}

/* FILL in DRAM, to the SPM, inside it, and back; each with its exact price */
static void test_move(void)
{
    const uint32_t n = 16384, bytes = 4 * n;
    const uint64_t dram_ps = bytes * 1000ull / 32;
    Harness *h = harness_new("");
    g_autofree float *got = g_malloc(bytes);
    struct onsram_hw_cpl cpl;
    uint64_t now;

    cpl = run(h, COMPUTE, cmd_fill(F32(VA + 64, n), 2.5));
    g_assert_cmpuint(cpl.status, ==, ONSRAM_ST_OK);
    g_assert_cmpuint(cpl.start_ps, ==, 0);
    g_assert_cmpuint(cpl.end_ps, ==, COMMAND_PS + DRAM_PS + dram_ps);
    g_assert_cmpuint(cpl.dram_read_bytes, ==, 0);
    g_assert_cmpuint(cpl.dram_write_bytes, ==, bytes);
    g_assert_cmpuint(cpl.energy_fj, ==, bytes * 64000ull);
    now = cpl.end_ps;

    run_ok(h, COMPUTE, cmd_assign(1, 0, bytes, 0));
    cpl = run(h, h->copy, cmd_copy(F32(SPM(0), n), F32(VA + 64, n)));
    g_assert_cmpuint(cpl.status, ==, ONSRAM_ST_OK);
    g_assert_cmpuint(cpl.start_ps, ==, now);
    g_assert_cmpuint(cpl.end_ps, ==, now + COMMAND_PS + DRAM_PS + dram_ps);
    g_assert_cmpuint(cpl.dram_read_bytes, ==, bytes);
    g_assert_cmpuint(cpl.dram_write_bytes, ==, 0);
    g_assert_cmpuint(cpl.spm_bytes, ==, bytes);
    qpci_memread(h->dev, h->spm, 0, got, bytes);
    for (uint32_t i = 0; i < n; i++) {
        g_assert_cmpfloat(got[i], ==, 2.5);
    }

    /* On itself: the output may be the input.  No DRAM, no latency. */
    now = cpl.end_ps;
    cpl = run(h, COMPUTE, cmd_add(F32(SPM(0), n), F32(SPM(0), n),
                                  F32(SPM(0), n)));
    g_assert_cmpuint(cpl.status, ==, ONSRAM_ST_OK);
    g_assert_cmpuint(cpl.dram_read_bytes + cpl.dram_write_bytes, ==, 0);
    g_assert_cmpuint(cpl.spm_bytes, ==, 3 * bytes);
    g_assert_cmpuint(cpl.end_ps - now, ==,
                     COMMAND_PS + (3ull * bytes * 1000 + 383) / 384);

    cpl = run(h, h->copy, cmd_copy(F32(VA + 1 * MiB, n), F32(SPM(0), n)));
    g_assert_cmpuint(cpl.status, ==, ONSRAM_ST_OK);
    g_assert_cmpuint(cpl.dram_write_bytes, ==, bytes);
    qtest_memread(h->qts, DATA + 1 * MiB, got, bytes);
    for (uint32_t i = 0; i < n; i++) {
        g_assert_cmpfloat(got[i], ==, 5);
    }
    g_assert_cmpuint(rd64(h, ONSRAM_REG_TIME), ==, cpl.end_ps);

    /* Scrubbing costs SPM bandwidth and leaves zeros */
    now = cpl.end_ps;
    cpl = run(h, COMPUTE, cmd_assign(2, 0, bytes, ONSRAM_ASSIGN_SCRUB));
    g_assert_cmpuint(cpl.end_ps - now, ==, (bytes * 1000ull + 383) / 384);
    g_assert_cmpuint(cpl.spm_bytes, ==, bytes);
    qpci_memread(h->dev, h->spm, 0, got, bytes);
    g_assert_true(got[0] == 0 && got[n - 1] == 0);
    harness_quit(h);
}

static void test_gemm(void)
{
    enum { N = 64 };
    Harness *h = harness_new("");
    struct onsram_hw_operand b = F32(VA + 64 * KiB, N, N);
    float a[N][N], bt[N][N], got[N][N];
    struct onsram_hw_cpl cpl;

    for (int i = 0; i < N; i++) {
        for (int j = 0; j < N; j++) {
            a[i][j] = i - j;
            bt[j][i] = (i * 3 + j) % 7;     /* stored transposed */
        }
    }
    qtest_memwrite(h->qts, DATA, a, sizeof(a));
    qtest_memwrite(h->qts, DATA + 64 * KiB, bt, sizeof(bt));
    b.view.strides[0] = 1;
    b.view.strides[1] = N;
    cpl = run(h, COMPUTE, cmd_gemm(F32(VA + 128 * KiB, N, N), F32(VA, N, N),
                                   b));
    g_assert_cmpuint(cpl.status, ==, ONSRAM_ST_OK);
    g_assert_cmpuint(cpl.macs, ==, N * N * N);
    g_assert_cmpuint(cpl.dram_read_bytes, ==, 2 * sizeof(a));
    g_assert_cmpuint(cpl.dram_write_bytes, ==, sizeof(a));
    g_assert_cmpuint(cpl.end_ps - cpl.start_ps, ==,
                     COMMAND_PS + DRAM_PS + 3 * sizeof(a) * 1000 / 32);
    /* 262144 MACs at 1.5e12/s */
    g_assert_cmpuint(cpl.compute_ps, ==, 174763);
    qtest_memread(h->qts, DATA + 128 * KiB, got, sizeof(got));
    for (int i = 0; i < N; i++) {
        for (int j = 0; j < N; j++) {
            float sum = 0;

            for (int k = 0; k < N; k++) {
                sum += a[i][k] * bt[j][k];
            }
            g_assert_cmpfloat(got[i][j], ==, sum);
        }
    }
    harness_quit(h);
}

/* A slice of a wider tensor as output: the bytes between the rows stay */
static void test_strided_output(void)
{
    enum { ROWS = 600, WIDTH = 37, SLICE = 5 };
    Harness *h = harness_new("");
    struct onsram_hw_operand out = F32(VA + 3 * 4, ROWS, SLICE);
    struct onsram_hw_operand in = F32(VA + 1 * MiB, ROWS, SLICE);
    static float in_data[ROWS][SLICE], got[ROWS][WIDTH];

    for (int i = 0; i < ROWS * SLICE; i++) {
        in_data[i / SLICE][i % SLICE] = i + 1;
    }
    qtest_memwrite(h->qts, DATA + 1 * MiB, in_data, sizeof(in_data));
    for (int reversed = 0; reversed < 2; reversed++) {
        qtest_memset(h->qts, DATA, 0xff, sizeof(got));
        out.addr = VA + 4 * (3 + (reversed ? (ROWS - 1) * WIDTH : 0));
        out.view.strides[0] = reversed ? -WIDTH : WIDTH;
        run_ok(h, COMPUTE, cmd_copy(out, in));
        qtest_memread(h->qts, DATA, got, sizeof(got));
        for (int r = 0; r < ROWS; r++) {
            for (int c = 0; c < WIDTH; c++) {
                if (c >= 3 && c < 3 + SLICE) {
                    g_assert_cmpfloat(got[r][c], ==,
                        in_data[reversed ? ROWS - 1 - r : r][c - 3]);
                } else {
                    g_assert_cmphex(f32_bits(got[r][c]), ==, 0xffffffff);
                }
            }
        }
    }
    harness_quit(h);
}

/* Pages in any order, and one physical page at two addresses */
static void test_scattered_pages(void)
{
    const uint64_t va = VA + 1 * GiB - 64 * KiB;    /* crosses a table */
    Harness *h = harness_new("");
    g_autofree uint32_t *words = g_new(uint32_t, 32 * KiB);
    g_autofree uint32_t *got = g_new(uint32_t, 32 * KiB);
    struct onsram_hw_operand in = F32(VA, 32 * KiB);
    struct onsram_hw_operand out = F32(va, 32 * KiB);

    for (int i = 0; i < 32 * KiB; i++) {
        words[i] = i * 2654435761u >> 8;
    }
    for (int p = 0; p < 32; p++) {
        map(h, 1, va + p * 4 * KiB, DATA + 2 * MiB + (p * 7 % 32) * 4 * KiB,
            4 * KiB, true);
    }
    qtest_memwrite(h->qts, DATA, words, 128 * KiB);
    in.view.dtype = out.view.dtype = ONSRAM_DTYPE_I32;
    run_ok(h, COMPUTE, cmd_copy(out, in));
    for (int p = 0; p < 32; p++) {
        qtest_memread(h->qts, DATA + 2 * MiB + (p * 7 % 32) * 4 * KiB,
                      (char *)got + p * 4 * KiB, 4 * KiB);
    }
    g_assert_cmpmem(words, 128 * KiB, got, 128 * KiB);

    qtest_memset(h->qts, DATA, 0, 128 * KiB);
    run_ok(h, COMPUTE, cmd_copy(in, out));
    qtest_memread(h->qts, DATA, got, 128 * KiB);
    g_assert_cmpmem(words, 128 * KiB, got, 128 * KiB);
    harness_quit(h);
}

/*
 * The copy engine fetches, compute waits for it, and the copy engine writes
 * back behind compute: the order and the modelled times are those of the
 * semaphores, not of the doorbells.
 */
static void test_semaphores(void)
{
    const uint32_t n = 4096;
    Harness *h = harness_new("");
    struct onsram_hw_cmd fetch = cmd_copy(F32(SPM(0), n), F32(VA, n));
    struct onsram_hw_cmd add = cmd_add(F32(SPM(0), n), F32(SPM(0), n),
                                       F32(SPM(0), n));
    struct onsram_hw_cmd store = cmd_copy(F32(VA + 1 * MiB, n), F32(SPM(0), n));
    struct onsram_hw_cpl c, s0, s1;
    float one = 1, two;

    qtest_memwrite(h->qts, DATA, &one, sizeof(one));
    run_ok(h, COMPUTE, cmd_assign(1, 0, 4 * n, 0));

    add.flags = ONSRAM_CMDF_WAIT | ONSRAM_CMDF_SIGNAL;
    add.wait_sem = 5;
    add.wait_value = 1;
    add.signal_sem = 6;
    add.signal_value = 9;
    queue(h, COMPUTE, &add);
    ring_bell(h, COMPUTE);
    g_usleep(20000);
    g_assert_cmphex(eng_rd(h, COMPUTE, ONSRAM_ENG_STATUS), ==, ONSRAM_ENG_BUSY);
    g_assert_cmpuint(eng_rd(h, COMPUTE, ONSRAM_ENG_HEAD), ==, 1);

    fetch.flags = ONSRAM_CMDF_SIGNAL;
    fetch.signal_sem = 5;
    fetch.signal_value = 1;
    store.flags = ONSRAM_CMDF_WAIT;
    store.wait_sem = 6;
    store.wait_value = 9;
    queue(h, h->copy, &fetch);
    queue(h, h->copy, &store);
    ring_bell(h, h->copy);
    wait_idle(h, h->copy);
    wait_idle(h, COMPUTE);

    s0 = record(h, h->copy, 0);
    s1 = record(h, h->copy, 1);
    c = record(h, COMPUTE, 1);
    g_assert_cmpuint(c.start_ps, ==, s0.end_ps);
    g_assert_cmpuint(s1.start_ps, ==, c.end_ps);
    g_assert_cmpuint(rd64(h, ONSRAM_REG_SEM(5)), ==, 1);
    g_assert_cmpuint(rd64(h, ONSRAM_REG_SEM(6)), ==, 9);
    qtest_memread(h->qts, DATA + 1 * MiB, &two, sizeof(two));
    g_assert_cmpfloat(two, ==, 2);

    /* A signal never lowers a semaphore; the driver's write starts a wait */
    fetch.signal_sem = 6;
    fetch.signal_value = 3;
    run_ok(h, h->copy, fetch);
    g_assert_cmpuint(rd64(h, ONSRAM_REG_SEM(6)), ==, 9);
    add.wait_value = 2;
    queue(h, COMPUTE, &add);
    ring_bell(h, COMPUTE);
    wr64(h, ONSRAM_REG_SEM(5), 2);
    wait_idle(h, COMPUTE);
    harness_quit(h);
}

/*
 * Two compute engines stream at once and share the channel: both are through
 * when the channel has carried both.  The copy engine gets what they leave.
 */
static void test_contention(void)
{
    const uint32_t n = 256 * 1024;
    const uint64_t alone = n * 4 * 1000ull / 32;
    Harness *h = harness_new(",compute-engines=2");
    struct onsram_hw_cmd gate = cmd_nop();
    struct onsram_hw_cpl c;

    gate.flags = ONSRAM_CMDF_WAIT;
    gate.wait_sem = 1;
    gate.wait_value = 1;
    for (uint32_t e = 0; e < 3; e++) {
        struct onsram_hw_cmd fill = cmd_fill(F32(VA + e * 2 * MiB, n), e);

        queue(h, e, &gate);
        queue(h, e, &fill);
        ring_bell(h, e);
    }
    wr64(h, ONSRAM_REG_SEM(1), 1);
    for (uint32_t e = 0; e < 3; e++) {
        wait_idle(h, e);
        c = record(h, e, 1);
        g_assert_cmpuint(c.start_ps, ==, 0);
        g_assert_cmpuint(c.end_ps, ==, COMMAND_PS + DRAM_PS +
                                       (e < 2 ? 2 : 3) * alone);
    }
    harness_quit(h);
}

/* Without arithmetic: same checks and times, but nothing moves */
static void test_timing_only(void)
{
    Harness *h = harness_new(",functional=off");
    struct onsram_hw_cpl cpl;

    g_assert_cmphex(rd(h, ONSRAM_REG_CAPS), ==, 0);
    cpl = run(h, COMPUTE, cmd_fill(F32(VA, 16384), 2.5));
    g_assert_cmpuint(cpl.status, ==, ONSRAM_ST_OK);
    g_assert_cmpuint(cpl.end_ps, ==, COMMAND_PS + DRAM_PS + 2048000);
    g_assert_cmphex(qtest_readl(h->qts, DATA), ==, 0);
    cpl = run(h, COMPUTE, cmd_fill(F32(VA + 8 * MiB, 1), 2.5));
    g_assert_cmpuint(cpl.status, ==, ONSRAM_ST_PAGE_FAULT);
    cpl = run(h, COMPUTE, cmd_fill(F32(SPM(0), 1), 2.5));
    g_assert_cmpuint(cpl.status, ==, ONSRAM_ST_SPM_OWNER);
    harness_quit(h);
}

static void test_paper(void)
{
    Harness *h = harness_new(",model=paper");

    /* One fetch, no overhead, no latency */
    g_assert_cmpuint(run(h, COMPUTE, cmd_fill(F32(VA, 16384), 0)).end_ps, ==,
                     2048000);
    harness_quit(h);
}

/* The completion comes when the virtual clock has seen the modelled time */
static void test_pacing(void)
{
    Harness *h = harness_new(",pacing=modelled");
    struct onsram_hw_cmd fill = cmd_fill(F32(VA, 1024 * 1024), 1);
    const int64_t ns = (COMMAND_PS + DRAM_PS + 131072000) / 1000 + 1;

    g_assert_cmphex(rd(h, ONSRAM_REG_CAPS), ==,
                    ONSRAM_CAP_FUNCTIONAL | ONSRAM_CAP_PACED);
    fill.flags = ONSRAM_CMDF_IRQ;
    queue(h, COMPUTE, &fill);
    ring_bell(h, COMPUTE);
    /* Computed, and its end is known: only its time has to come */
    wait_time(h, 0);
    qtest_clock_step(h->qts, ns - 10);
    g_usleep(20000);
    g_assert_cmpuint(eng_rd(h, COMPUTE, ONSRAM_ENG_HEAD), ==, 0);
    g_assert_cmphex(rd(h, ONSRAM_REG_INTR_STATUS), ==, 0);
    qtest_clock_step(h->qts, 10);
    wait_idle(h, COMPUTE);
    g_assert_cmphex(rd(h, ONSRAM_REG_INTR_STATUS), ==, 1);
    harness_quit(h);
}

#include "onsram-test-faults.c.inc"
#include "onsram-test-lifecycle.c.inc"
#include "onsram-test-computing.c.inc"
#include "onsram-test-windows.c.inc"

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    qtest_add_func("/onsram/identity", test_identity);
    qtest_add_func("/onsram/registers", test_registers);
    qtest_add_func("/onsram/ring", test_ring);
    qtest_add_func("/onsram/move", test_move);
    qtest_add_func("/onsram/gemm", test_gemm);
    qtest_add_func("/onsram/strided-output", test_strided_output);
    qtest_add_func("/onsram/scattered-pages", test_scattered_pages);
    qtest_add_func("/onsram/semaphores", test_semaphores);
    qtest_add_func("/onsram/contention", test_contention);
    qtest_add_func("/onsram/timing-only", test_timing_only);
    qtest_add_func("/onsram/paper", test_paper);
    qtest_add_func("/onsram/pacing", test_pacing);
    add_fault_tests();
    add_lifecycle_tests();
    add_computing_tests();
    add_window_tests();
    return g_test_run();
}
