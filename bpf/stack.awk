# SPDX-License-Identifier: GPL-2.0
#
# How much stack the deepest chain of calls in a BPF object needs. The verifier allows 512 bytes for a
# program and the functions it calls together, and refuses the whole object above that:
#
#	llvm-objdump -tdr OBJECT | awk -v object=OBJECT -v limit=BYTES -f bpf/stack.awk
#
# A function's frame goes down to the lowest address it forms from r10. The verifier rounds each frame up
# to 32 bytes (since Linux 6.8: to 16), so we do, too. Only the bytes of the instructions are read: the
# text beside them differs between versions of LLVM. The exit status is 1 if a chain needs more than
# `limit`. With -v all=1 it prints the frames of each program and of the functions it reaches, as the
# verifier does: 24 bytes more where the kernel puts bpf_loop's counters, when it has checked the depth.

# A little-endian number from the bytes in the fields `first` to `last`, with its sign.
function number(first, last,    i, n, size) {
	n = 0
	size = 1
	for (i = first; i <= last; i++) {
		n += size * (16 * (index(DIGITS, substr($i, 1, 1)) - 1) + index(DIGITS, substr($i, 2, 1)) - 1)
		size *= 256
	}
	return n >= size / 2 ? n - size : n
}

function hex(text,    i, n) {
	n = 0
	for (i = 1; i <= length(text); i++)
		n = 16 * n + index(DIGITS, substr(text, i, 1)) - 1
	return n
}

# The kernel keeps whole words of 8 bytes.
function reaches(at) {
	while (-at > frame[here])
		frame[here] += 8
}

function calls(place) {
	called[place] = 1
	callees[here] = callees[here] " " place
}

function refuse(sentence) {
	print object ": " sentence > "/dev/stderr"
	failed = 1
	exit 1
}

function rounded(f,    n) {
	n = frame[f] > 0 ? frame[f] : 1
	return n + (32 - n % 32) % 32
}

# Bytes from `f` down; `below[f]` becomes the next function of the deepest chain.
function depth(f,    list, n, i, most, d) {
	if (f in total)
		return total[f]
	if (f in open)
		refuse(name[f] " calls itself, so its stack has no limit")
	open[f] = 1
	most = 0
	n = split(callees[f], list, " ")
	for (i = 1; i <= n; i++) {
		if (!(list[i] in name))
			refuse(name[f] " calls a function that is not in the object")
		d = depth(list[i])
		if (d > most) {
			most = d
			below[f] = list[i]
		}
	}
	delete open[f]
	total[f] = most + rounded(f)
	return total[f]
}

function chain(f,    names, sizes, bytes) {
	names = name[f]
	sizes = rounded(f)
	bytes = total[f]
	while (f in below) {
		f = below[f]
		names = names " -> " name[f]
		sizes = sizes " + " rounded(f)
	}
	return names " needs " bytes " bytes of stack (" sizes ")"
}

# Prints the frames of `f` and of the functions it reaches, each once.
function frames(f, seen,    list, n, i) {
	seen[f] = 1
	printf " %s %d", name[f], frame[f] + (f in loops ? 24 : 0)
	n = split(callees[f], list, " ")
	for (i = 1; i <= n; i++)
		if (!(list[i] in seen))
			frames(list[i], seen)
}

BEGIN { DIGITS = "0123456789abcdef" }

# The symbol table: address, scope, F for a function, section, size, name.
$3 == "F" {
	place = $4 ":" hex($1) / 8
	name[place] = $NF
	at_name[$NF] = place
	order[++functions] = place
	frame[place] = 0
}

/^Disassembly of section / {
	section = $4
	sub(/:$/, "", section)
	split("", base)
	base[10] = 0
}

# A relocation of the instruction above: the symbol it goes to, or the section and how far into that. To
# take a function's address (a callback) counts as a call of it.
$2 ~ /^R_BPF_/ && is_call {
	calls($3 in at_name ? at_name[$3] : $3 ":" imm + 1)
	is_call = 0
}
$2 ~ /^R_BPF_/ && is_load {
	place = $3 in at_name ? at_name[$3] : $3 ":" imm / 8
	if (place in name)
		calls(place)
}

$1 ~ /^[0-9]+:$/ && $9 ~ /^[0-9a-f][0-9a-f]$/ {
	# A call without relocation is relative to its own instruction.
	if (is_call)
		calls(section ":" last + imm + 1)
	is_call = is_load = 0
	last = $1 + 0
	if ((section ":" last) in name) {
		here = section ":" last
		split("", base)
		base[10] = 0
	}
	code = $2
	class = hex(substr(code, 2, 1)) % 8
	dst = hex(substr($3, 2, 1))
	src = hex(substr($3, 1, 1))
	imm = number(6, 9)

	# base[r]: register r is r10 plus so much.
	if (class == 1 && src in base)
		reaches(base[src] + number(4, 5))
	if ((class == 2 || class == 3) && dst in base)
		reaches(base[dst] + number(4, 5))
	if (code == "bf" && src in base) {
		base[dst] = base[src]
	} else if (code == "07" && dst in base) {
		base[dst] += imm
		reaches(base[dst])
	} else if (class == 0 || class == 1 || class == 4 || class == 7) {
		delete base[dst]
	} else if (code == "85") {
		is_call = src == 1
		if (src == 0 && imm == 181)
			loops[here] = 1
		for (i = 0; i <= 5; i++)
			delete base[i]
	} else if (code == "05" || code == "95") {
		split("", base)
		base[10] = 0
	}
	is_load = code == "18"
}

END {
	if (failed)
		exit 1
	if (is_call)
		calls(section ":" last + imm + 1)
	if (!functions || !last)
		refuse("has no functions to look at")
	for (i = 1; i <= functions; i++) {
		depth(order[i])
		if (total[order[i]] > total[deepest])
			deepest = order[i]
		if (all && !(order[i] in called)) {
			split("", seen)
			printf "%d:", total[order[i]]
			frames(order[i], seen)
			print ""
		}
	}
	if (total[deepest] > limit)
		refuse(chain(deepest) ", more than the " limit " allowed")
}
