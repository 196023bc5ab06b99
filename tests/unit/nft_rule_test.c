// SPDX-License-Identifier: GPL-2.0
/* What single rules check: messages recorded from a kernel (nft_vectors.py). */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "filters/nft_rule.h"
#include "filters/nft_take.h"

static const struct vector {
	const char *rule, *wanted, *hex;
} vectors[] = {
#include "nft.vectors"
};

/* A copy of exactly its size, so that reading beyond it is seen. */
static struct nlmsghdr *decode(const char *hex)
{
	size_t len = strlen(hex) / 2;
	uint8_t *bytes = malloc(len);

	for (size_t i = 0; i < len; i++)
		sscanf(hex + 2 * i, "%2hhx", &bytes[i]);
	return (struct nlmsghdr *)bytes;
}

static const struct rule_packet any = { .family = NFPROTO_BRIDGE };

static void recorded_rules_are_judged(void **state)
{
	(void)state;
	assert_true(ARRAY_LEN(vectors) > 80);
	for (size_t i = 0; i < ARRAY_LEN(vectors); i++) {
		autorules struct rules rules = { 0 };
		struct nlmsghdr *msg = decode(vectors[i].hex);
		struct rule_answer answer;

		nft_take(&rules, msg);
		free(msg);
		assert_int_equal(rules.n_texts, 1);
		nft_rule_ask(&rules, &rules.chains[0], rules.texts[0], &any, &answer);
		if (strcmp(answer.what, vectors[i].wanted) != 0)
			fail_msg("%s: wanted \"%s\", got \"%s\"", vectors[i].rule,
				 vectors[i].wanted, answer.what);
		if ((answer.fit == RULE_MAY_BY_MORE || answer.effect) != !!answer.what[0])
			fail_msg("%s: fit %d, effect %d", vectors[i].rule, answer.fit,
				 answer.effect);
	}
}

/* Nothing the kernel sends is that short; nothing that short may be read beyond its end. */
static void cut_off_messages_do_no_harm(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(vectors); i++) {
		struct nlmsghdr *whole = decode(vectors[i].hex);

		for (uint32_t len = 20; len < whole->nlmsg_len; len += 4) {
			autorules struct rules rules = { 0 };
			struct nlmsghdr *msg = malloc(len);
			struct rule_answer answer;

			memcpy(msg, whole, len);
			msg->nlmsg_len = len;
			nft_take(&rules, msg);
			free(msg);
			if (rules.n_texts)
				nft_rule_ask(&rules, &rules.chains[0], rules.texts[0], &any,
					     &answer);
		}
		free(whole);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(recorded_rules_are_judged),
		cmocka_unit_test(cut_off_messages_do_no_harm),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
