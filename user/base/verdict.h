/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One thing that is wrong: of which kind (a stable id for programs), with what (an overlay's peer, port
 * or device, "" = the overlay or the host itself), and one plain sentence that says what to do.
 */
#ifndef VXBPF_VERDICT_H
#define VXBPF_VERDICT_H

#include "base/util.h"

enum verdict_id {
#define VERDICT(name, id, meaning) VERDICT_##name,
#include "base/verdicts.def"
#undef VERDICT
	VERDICT_MAX,
};

struct verdict {
	enum verdict_id id;
	char *about;
	char *text;
};

/* In the order of their finding. The texts are owned. */
struct verdicts {
	struct verdict *v;
	size_t n;
};

void verdicts_add(struct verdicts *list, enum verdict_id id, const char *about, const char *fmt,
		  ...) PRINTF(4, 5);
/* Is there one that says the same? */
bool verdicts_have(const struct verdicts *list, const struct verdict *v);
void verdicts_copy(struct verdicts *to, const struct verdict *v);
void verdicts_free(struct verdicts *list);
#define autoverdicts __attribute__((cleanup(verdicts_free)))

const char *verdict_name(enum verdict_id id); /* "peer_silent" */

/* [{id, about, text}], for json-c's user to put somewhere. */
struct json_object;
struct json_object *verdicts_json(const struct verdicts *list);

#endif
