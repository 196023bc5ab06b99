// SPDX-License-Identifier: GPL-2.0
/*
 * libFuzzer: any bytes as a config file and as a script to import. The first byte chooses. Besides
 * memory errors it looks for refusals without a sentence and for imports that the parser refuses.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "conf/import.h"
#include "plan/mesh.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_why(const struct why *why)
{
	if (!why->text[0] || strchr(why->text, '\n') || !why->bad_input)
		abort();
}

static void fuzz_conf(const char *text, size_t len)
{
	struct why why = { 0 };
	struct conf conf;
	struct mesh mesh;

	if (conf_parse("/etc/vxbpf/vxbr0.yaml", text, len, &conf, &why)) {
		check_why(&why);
		return;
	}
	if (mesh_build(&conf, &conf.hosts[0].address, 1, &mesh, &why) == 0)
		mesh_free(&mesh);
	else
		check_why(&why);
	conf_free(&conf);
}

static void fuzz_import(const char *text, size_t len)
{
	struct why why = { 0 };
	char *yaml;

	if (import_script("vxlansetup.sh", text, len, &yaml, &why)) {
		check_why(&why);
		return;
	}
	fuzz_conf(yaml, strlen(yaml));
	free(yaml);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text;

	if (!size)
		return 0;
	text = malloc(size);
	if (!text)
		return 0;
	memcpy(text, data + 1, size - 1);
	text[size - 1] = '\0';
	if (data[0] & 1)
		fuzz_import(text, size - 1);
	else
		fuzz_conf(text, size - 1);
	free(text);
	return 0;
}
