/*
 * QTest testcase for the onsram accelerator
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "libqtest.h"

static void test_present(void)
{
    QTestState *qts = qtest_init("-M q35 -device onsram");

    qtest_quit(qts);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    qtest_add_func("/onsram/present", test_present);
    return g_test_run();
}
