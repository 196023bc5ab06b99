// SPDX-License-Identifier: GPL-2.0
/* What whole rulesets do with packets, as Docker, ufw, firewalld, Incus and libvirt write them. */
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "filters/nft_take.h"
#include "filters/rules_walk.h"

static void check_ruleset(const char *what, const char *about, const char *wanted,
			  const struct rules *rules)
{
	static const struct rule_packet to_our_port = {
		.family = NFPROTO_IPV4, .protocol = IPPROTO_UDP, .dport = 4789, .iif = "eth0"
	};
	static const struct rule_packet bridged = {
		.family = NFPROTO_IPV4, .protocol = IPPROTO_TCP, .iif = "vxbr0", .oif = "vxbr0"
	};
	bool in = strcmp(about, "INPUT") == 0;
	struct rules_culprit by;
	char got[RULES_WHY] = "";

	if (strcmp(about, "bridge") == 0)
		rules_tell_more(rules, got);
	else if (rules_drop(rules, in ? NF_INET_LOCAL_IN : NF_INET_FORWARD,
			    in ? &to_our_port : &bridged, &by))
		snprintf(got, sizeof(got), "%.60s%s", by.chain->name, by.policy ? " policy" : "");
	if (strcmp(got, wanted) != 0)
		fail_msg("%s: wanted \"%s\", got \"%s\"", what, wanted, got);
}

static void recorded_rulesets_are_judged(void **state)
{
	static const struct {
		const char *what, *about, *wanted, *hex;
	} rulesets[] = {
#include "rulesets.vectors"
	};

	(void)state;
	assert_true(ARRAY_LEN(rulesets) > 9);
	for (size_t i = 0; i < ARRAY_LEN(rulesets); i++) {
		autorules struct rules rules = { 0 };
		size_t len = strlen(rulesets[i].hex) / 2;
		uint8_t *bytes = malloc(len);
		int left = (int)len;

		for (size_t k = 0; k < len; k++)
			sscanf(rulesets[i].hex + 2 * k, "%2hhx", &bytes[k]);
		for (struct nlmsghdr *msg = (void *)bytes; mnl_nlmsg_ok(msg, left);
		     msg = mnl_nlmsg_next(msg, &left))
			nft_take(&rules, msg);
		free(bytes);
		check_ruleset(rulesets[i].what, rulesets[i].about, rulesets[i].wanted, &rules);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(recorded_rulesets_are_judged),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
