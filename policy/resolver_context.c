/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "policy/resolver.h"
#include "policy/resolver_context.h"

static int
complain(struct fault *fault, const char *what, const char *value, int result)
{
	return fault_set(fault, ERR_CONFIG, "%s: %s: %s", what, value,
	    ub_strerror(result));
}

/* `ZONE=ADDRESS@PORT` */
static int
set_stub(struct ub_ctx *context, const char *value, struct fault *fault)
{
	const char *equals = strchr(value, '=');
	char zone[256];
	int result;

	if (equals == NULL || !span_copy_string(
	        span_of(value, (size_t)(equals - value)), zone, sizeof(zone)))
		return fault_set(fault, ERR_CONFIG,
		    "dns_stub: %s: not ZONE=ADDRESS@PORT", value);
	result = ub_ctx_set_stub(context, zone, equals + 1, 0);
	return result == 0 ? 0 : complain(fault, "dns_stub", value, result);
}

static int
set_servers(const struct resolver_servers *servers, struct ub_ctx *context,
    struct fault *fault)
{
	const struct config_list *forward = &servers->forward;
	const struct config_list *stub = &servers->stub;
	int err = 0, result;

	for (size_t i = 0; i < forward->count; i++) {
		result = ub_ctx_set_fwd(context, forward->items[i]);
		if (result != 0)
			return complain(fault, "dns_forward",
			    forward->items[i], result);
	}
	for (size_t i = 0; err == 0 && i < stub->count; i++)
		err = set_stub(context, stub->items[i], fault);
	return err;
}

/* What a failure leaves behind in libunbound must not outlast it by much: the
 * caches above it are the ones that say how long something is good. */
static void
set_options(struct ub_ctx *context, bool own_servers)
{
	static const char *const options[][2] = {
	    {"infra-host-ttl:", "60"},
	    {"infra-keep-probing:", "yes"},
	    {"val-bogus-ttl:", "5"},
	    {"cache-max-negative-ttl:", "3600"},
	    {"num-queries-per-thread:", "4096"},
	};

	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		ub_ctx_set_option(context, options[i][0], options[i][1]);
	/* Only the site's own setting may point at this host, no zone's NS. */
	if (own_servers)
		ub_ctx_set_option(context, "do-not-query-localhost:", "no");
}

/* `test` is a built-in empty zone. Taking it out also makes libunbound read the
 * anchors, so it comes last. */
static int
read_now(struct ub_ctx *context)
{
	return ub_ctx_zone_remove(context, "test.");
}

/*
 * libunbound gets the very text that was checked, and not the file's again,
 * which may have been emptied since: it would take everything for unsigned
 * then.
 */
static int
add_text(struct ub_ctx *context, const struct anchors *anchors,
    struct fault *fault)
{
	const struct span text = anchors_text(anchors);
	const int fd = memfd_create("anchors", MFD_CLOEXEC);
	char path[40];
	int err = 0, result;

	if (fd < 0 ||
	    write(fd, text.data, text.length) != (ssize_t)text.length) {
		err = fault_set(fault, ERR_SYSTEM, "%s: memfd: %s",
		    anchors_path(anchors), strerror(errno));
		goto out;
	}
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if ((result = ub_ctx_add_ta_file(context, path)) != 0 ||
	    (result = read_now(context)) != 0)
		err = complain(fault, "trust_anchor_file",
		    anchors_path(anchors), result);
out:
	if (fd >= 0)
		close(fd);
	return err;
}

/* Files that libunbound also writes. */
static int
add_files(struct ub_ctx *context, const struct anchors *anchors,
    struct fault *fault)
{
	const char *path;
	int result = 0;

	for (size_t i = 0;
	     result == 0 && (path = anchors_file(anchors, i)) != NULL; i++)
		result = ub_ctx_add_ta_autr(context, path);
	if (result == 0)
		result = read_now(context);
	return result == 0 ? 0
	                   : complain(fault, "trust_anchor_directory",
	                         anchors_file(anchors, 0), result);
}

static int
set_anchors(struct ub_ctx *context, const struct anchors *anchors,
    struct fault *fault)
{
	return anchors_file(anchors, 0) == NULL
	    ? add_text(context, anchors, fault)
	    : add_files(context, anchors, fault);
}

int
resolver_context_new(const struct anchors *anchors,
    const struct resolver_servers *servers, struct ub_ctx **out,
    struct fault *fault)
{
	struct ub_ctx *context = ub_ctx_create();
	int err;

	*out = NULL;
	if (context == NULL)
		return fault_set(fault, ERR_MEMORY, "resolver: out of memory");
	ub_ctx_debugout(context, NULL);
	ub_ctx_async(context, 1);
	set_options(context, servers->forward.count + servers->stub.count > 0);
	if ((err = set_servers(servers, context, fault)) != 0 ||
	    (err = set_anchors(context, anchors, fault)) != 0)
		ub_ctx_delete(context);
	else
		*out = context;
	return err;
}

int
resolver_check(const struct config *config, struct fault *fault)
{
	const struct resolver_servers servers = {
	    .forward = config->dns_forward,
	    .stub = config->dns_stub,
	};
	struct anchors *anchors;
	struct ub_ctx *context;
	int err;

	err = anchors_read(config->trust_anchor_file, &anchors, fault);
	if (err != 0)
		return err;
	if (*config->trust_anchor_directory != '\0')
		err = anchors_follow(anchors, config->trust_anchor_directory,
		    true, fault);
	if (err == 0 && (err = resolver_context_new(anchors, &servers,
	                     &context, fault)) == 0)
		ub_ctx_delete(context);
	anchors_free(anchors);
	return err;
}

static void
free_list(struct config_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free((char *)(uintptr_t)list->items[i]);
	free(list->items);
}

static bool
copy_list(const struct config_list *from, struct config_list *to)
{
	to->items = calloc(from->count + 1, sizeof(*to->items));
	if (to->items == NULL)
		return false;
	for (; to->count < from->count; to->count++) {
		to->items[to->count] = strdup(from->items[to->count]);
		if (to->items[to->count] == NULL)
			return false;
	}
	return true;
}

int
resolver_servers_copy(const struct config *config,
    struct resolver_servers *servers)
{
	return copy_list(&config->dns_forward, &servers->forward) &&
	        copy_list(&config->dns_stub, &servers->stub)
	    ? 0
	    : ERR_MEMORY;
}

void
resolver_servers_free(struct resolver_servers *servers)
{
	free_list(&servers->forward);
	free_list(&servers->stub);
}
