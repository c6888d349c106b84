// SPDX-License-Identifier: MIT
/*
 * An extension of GNU make: $(exit-status N) ends make with status N. By itself
 * make turns every failure of a recipe into 2, while 'make vm' promises the
 * status of the guest's command.
 */
#include <gnumake.h>
#include <stdlib.h>

int plugin_is_GPL_compatible;

static char *exit_status(const char *name, unsigned int argc, char **argv)
{
	(void)name;
	(void)argc;
	exit(atoi(argv[0]));
}

int exit_status_gmk_setup(void)
{
	gmk_add_function("exit-status", exit_status, 1, 1, GMK_FUNC_DEFAULT);
	return 1;
}
