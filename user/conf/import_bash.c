// SPDX-License-Identifier: GPL-2.0
/*
 * The little of bash that settings are written in: NAME=word, NAME=(words, over several lines),
 * NAME+=(more words), quotes, comments, "export" and its like in front. Pure.
 */
#include <errno.h>
#include <string.h>

#include "conf/import_bash.h"

struct script {
	const char *path;
	const char *begin;
	const char *at; /* next character; the text ends with a NUL */
	const char *end;
	unsigned line;
	struct why *why;
};

static int refuse(const struct script *s, const char *name, const char *sentence)
{
	return why_bad(s->why, "%.200s:%u: %s: %s", s->path, s->line, name, sentence);
}

static bool is_name_char(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
	       c == '_';
}

/* The variable whose name stands here, alone; *at is then behind it. */
static struct bash_var *find_var(const char **at, struct bash_var *vars, size_t n_vars)
{
	const char *name = *at;
	size_t len = 0;

	while (is_name_char(name[len]))
		len++;
	*at += len;
	for (size_t i = 0; i < n_vars; i++) {
		if (strlen(vars[i].name) == len && strncmp(vars[i].name, name, len) == 0)
			return &vars[i];
	}
	return NULL;
}

static void skip_blanks(struct script *s)
{
	while (*s->at == ' ' || *s->at == '\t' || *s->at == '\r')
		s->at++;
}

static void skip_line(struct script *s)
{
	while (s->at < s->end && *s->at != '\n')
		s->at++;
	if (s->at < s->end) {
		s->at++;
		s->line++;
	}
}

static bool ends_word(char c)
{
	return c == '\0' || strchr(" \t\r\n;&|()<>", c);
}

/* One character of a word, quoted or not, that stands for itself? */
static const char *not_constant(char c, char quote)
{
	if (quote != '\'' && (c == '$' || c == '`'))
		return "is computed by the script, which import does not run; write the literal "
		       "value";
	if (c == '\\' || c == '"')
		return "contains a backslash or a nested quote; write the literal value";
	if (!quote && strchr("*?[]{}~!", c))
		return "contains a character the shell would expand; write the literal value";
	if (c == '\n' || c == '\0')
		return "has a quote that is not closed on the same line";
	if (c < ' ' || c > '~')
		return "contains a character that is not plain text";
	return NULL;
}

static int read_word(struct script *s, const char *name, char out[BASH_WORD])
{
	size_t len = 0;
	char quote = '\0';

	while (quote || !ends_word(*s->at)) {
		char c = *s->at;
		const char *wrong;

		if (c && (quote ? c == quote : c == '\'' || c == '"')) {
			quote = quote ? '\0' : c;
			s->at++;
			continue;
		}
		wrong = not_constant(c, quote);
		if (wrong)
			return refuse(s, name, wrong);
		if (len + 1 >= BASH_WORD)
			return refuse(s, name, "contains a word that is too long");
		out[len++] = c;
		s->at++;
	}
	out[len] = '\0';
	return 0;
}

static int add_word(struct script *s, struct bash_var *var)
{
	struct bash_word word = { .line = s->line };
	int err;

	if (var->n_words == BASH_WORDS)
		return refuse(s, var->name, "has more entries than an overlay can have peers");
	err = read_word(s, var->name, word.text);
	if (err)
		return err;
	if (!var->words)
		var->words = calloc(BASH_WORDS, sizeof(*var->words));
	if (!var->words)
		return why_set(s->why, -ENOMEM, "%.200s: out of memory", s->path);
	var->words[var->n_words++] = word;
	return 0;
}

/* From after '(' to after ')'. */
static int read_array(struct script *s, struct bash_var *var)
{
	while (s->at < s->end) {
		int err = 0;

		skip_blanks(s);
		if (*s->at == ')') {
			s->at++;
			return 0;
		}
		if (*s->at == '\n' || *s->at == '#')
			skip_line(s);
		else if (*s->at == '\\' && s->at[1] == '\n')
			skip_line(s);
		else if (ends_word(*s->at) && s->at < s->end)
			err = refuse(s, var->name, "is not a plain list of words");
		else if (s->at < s->end)
			err = add_word(s, var);
		if (err)
			return err;
	}
	s->line = var->line;
	return refuse(s, var->name, "its list has no closing )");
}

/* After a value only the end of the command may come. NAME=value COMMAND sets nothing for us. */
static int end_value(struct script *s, const struct bash_var *var)
{
	const char *before = s->at;

	skip_blanks(s);
	if (s->at >= s->end || *s->at == '\n' || *s->at == ';' || (*s->at == '#' && s->at > before))
		return 0;
	return refuse(s, var->name, "is followed by text that import does not support");
}

static int read_value(struct script *s, struct bash_var *var, bool append)
{
	int err;

	if (var->line && !append)
		return why_bad(s->why, "%.200s:%u: %s: is set a second time, first on line %u",
			       s->path, s->line, var->name, var->line);
	if (append && (!var->array || *s->at != '('))
		return refuse(s, var->name, "is extended in a way that import does not support");
	if (!var->line)
		var->line = s->line;
	if (*s->at == '(' && !var->array)
		return refuse(s, var->name, "must be one value, not a list");
	if (*s->at == '(') {
		s->at++;
		err = read_array(s, var);
	} else {
		err = add_word(s, var);
	}
	return err ? err : end_value(s, var);
}

/* Past "export ", "readonly ", "declare -a " and the like. */
static void skip_declaration(struct script *s)
{
	static const char *const verbs[] = { "export", "readonly", "declare", "typeset" };

	for (size_t i = 0; i < ARRAY_LEN(verbs); i++) {
		size_t len = strlen(verbs[i]);

		if (strncmp(s->at, verbs[i], len) != 0 || (s->at[len] != ' ' && s->at[len] != '\t'))
			continue;
		s->at += len;
		skip_blanks(s);
		while (*s->at == '-') {
			while (!ends_word(*s->at))
				s->at++;
			skip_blanks(s);
		}
		return;
	}
}

/* The rest of a line that is not a plain assignment may still hold one, as in "[ ... ] && PORT=1":
 * better refused than overlooked. Text in quotes or in a comment is left alone. */
static int check_rest(struct script *s, struct bash_var *vars, size_t n_vars)
{
	char quote = '\0', before = s->at > s->begin ? s->at[-1] : '\n';

	while (s->at < s->end && *s->at != '\n') {
		char c = *s->at;

		if (!quote && ends_word(before) && c == '#')
			return 0;
		if (!quote && ends_word(before) && is_name_char(c)) {
			const struct bash_var *var = find_var(&s->at, vars, n_vars);

			if (var &&
			    (*s->at == '=' || *s->at == '[' || (*s->at == '+' && s->at[1] == '=')))
				return refuse(s, var->name,
					      "is set inside a command, which import does not run");
			before = s->at[-1];
			continue;
		}
		if (quote ? c == quote : c == '\'' || c == '"')
			quote = quote ? '\0' : c;
		before = c;
		s->at++;
	}
	return 0;
}

/* One command of a line, if it is an assignment of ours. 1 = another one follows on the line. */
static int read_line(struct script *s, struct bash_var *vars, size_t n_vars)
{
	const char *begin, *at;
	struct bash_var *var;
	bool append;
	int err;

	skip_blanks(s);
	begin = s->at;
	skip_declaration(s);
	at = s->at;
	var = find_var(&at, vars, n_vars);
	if (var && *at == '[')
		return refuse(s, var->name, "is set entry by entry; write it as one list in ( )");
	append = *at == '+';
	if (!var || at[append] != '=') {
		s->at = begin;
		return check_rest(s, vars, n_vars);
	}
	s->at = at + append + 1;
	err = read_value(s, var, append);
	if (err || *s->at != ';')
		return err;
	s->at++;
	return 1;
}

int bash_read(const char *path, const char *text, size_t len, struct bash_var *vars, size_t n_vars,
	      struct why *why)
{
	struct script s = { .path = path, .begin = text, .at = text, .end = text + len };

	s.line = 1;
	s.why = why;
	if (strlen(text) != len)
		return why_bad(why, "%.200s: contains a NUL byte, so it is not a script", path);
	while (s.at < s.end) {
		int err = read_line(&s, vars, n_vars);

		if (err < 0)
			return err;
		if (!err)
			skip_line(&s);
	}
	for (size_t i = 0; i < n_vars; i++) {
		if (!vars[i].line && vars[i].required)
			return why_bad(why, "%.200s: %s: is not set in this script", path,
				       vars[i].name);
	}
	return 0;
}

void bash_free(struct bash_var *vars, size_t n_vars)
{
	for (size_t i = 0; i < n_vars; i++) {
		free(vars[i].words);
		vars[i].words = NULL;
	}
}
