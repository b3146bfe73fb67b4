/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/bench/figure.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

double
bench_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static int
compare(const void *left, const void *right)
{
	const double a = *(const double *)left, b = *(const double *)right;

	return a < b ? -1 : a > b;
}

double
bench_median(double *values, size_t count)
{
	qsort(values, count, sizeof(*values), compare);
	return values[count / 2];
}

void
bench_print(const char *what, double value, const char *unit,
    const char *bound, bool good)
{
	printf("%-52s %10.2f %-9s %-14s %s\n", what, value, unit, bound,
	    *bound == '\0' ? "" : good ? "good" : "NOT GOOD");
	fflush(stdout);
}

/* The text of a file of /proc; "" when the process is gone. */
static void
read_proc(pid_t pid, const char *name, char *out, size_t size)
{
	char path[64];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	file = fopen(path, "re");
	out[file == NULL ? 0 : fread(out, 1, size - 1, file)] = '\0';
	if (file != NULL)
		fclose(file);
}

/* Microseconds that a process has used, and its children who have ended. */
static bool
read_times(pid_t pid, pid_t *parent, double *own, double *ended)
{
	const double tick = 1e6 / (double)sysconf(_SC_CLK_TCK);
	long long user, system, child_user, child_system;
	char text[1000] = "";
	const char *at;

	read_proc(pid, "stat", text, sizeof(text));
	at = strrchr(text, ')');
	if (at == NULL ||
	    sscanf(at, ") %*c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u "
	        "%lld %lld %lld %lld", parent, &user, &system, &child_user,
	        &child_system) != 5)
		return false;
	*own = (double)(user + system) * tick;
	*ended = (double)(child_user + child_system) * tick;
	return true;
}

double
bench_processor(pid_t pid)
{
	double own, ended;
	pid_t parent;

	return read_times(pid, &parent, &own, &ended) ? own : 0;
}

double
bench_family_processor(pid_t pid)
{
	double own, ended, total = 0;
	DIR *all = opendir("/proc");
	struct dirent *each;
	pid_t number, parent;

	while (all != NULL && (each = readdir(all)) != NULL) {
		number = (pid_t)strtol(each->d_name, NULL, 10);
		if (number > 0 && read_times(number, &parent, &own, &ended) &&
		    (number == pid || parent == pid))
			total += own + ended;
	}
	if (all != NULL)
		closedir(all);
	return total;
}

double
bench_resident(pid_t pid)
{
	unsigned long long pages = 0;
	char text[200] = "";

	read_proc(pid, "statm", text, sizeof(text));
	sscanf(text, "%*u %llu", &pages);
	return (double)pages * (double)sysconf(_SC_PAGESIZE);
}
