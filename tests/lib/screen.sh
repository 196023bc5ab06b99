# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# A real terminal (tmux) for programs that draw, or colour what they say.
#
#   terminal HOST WIDTH HEIGHT   a shell there, in a window of that size, with SHELL_ENV set
#   typed TEXT [KEY...]          TEXT as it is, then keys by tmux's names
#   entered LINE                 a line for the shell
#   terminal_ends                before the next one
#   pane [-e]                    what is on the screen now (with its colours)
#   sees REGEX, sees_not REGEX   is it on the screen?
#   resized WIDTH HEIGHT
#   narrow WIDTH TEXT            no line of it has more characters

SHELL_ENV=(LC_ALL=C.UTF-8 TERM=screen-256color)
unset TMUX

tm() {
	LC_ALL=C.UTF-8 tmux -u -S "$WORK/tmux" -f /dev/null "$@"
}

# The shell is plain, so that its prompt and echo are the same everywhere.
terminal() {
	enter "$1"
	tm new-session -d -x "$2" -y "$3" -s main \
		"${ENTER[@]}" env -u TMUX "${SHELL_ENV[@]}" PS1='ready> ' \
		PATH="$(dirname "$VXBPF"):$PATH" bash --norc --noprofile
	on_exit tm kill-server
	tm set-option -g status off
	resized "$2" "$3"
	wait_for 10 sees '^ready>'
}

# tmux says so before its server is gone, and a new session would still be that one's.
terminal_ends() {
	local pid
	pid=$(tm display-message -p '#{pid}')
	tm kill-server
	eventually 10 test ! -e "/proc/$pid"
}

typed() {
	[ -z "$1" ] || tm send-keys -t main -l "$1"
	shift
	[ $# -eq 0 ] || tm send-keys -t main "$@"
}

entered() {
	typed "$1" Enter
}

pane() {
	tm capture-pane -p ${1:+"$1"} -t main
}

sees() {
	pane '' | grep -E -- "$1" >/dev/null
}

sees_not() {
	! sees "$1"
}

resized() {
	tm resize-window -t main -x "$1" -y "$2"
}

narrow() {
	local longest
	longest=$(LC_ALL=C.UTF-8 wc -L <<<"$2")
	[ "$longest" -le "$1" ] || fail "a line of $longest columns, wanted at most $1: $2"
}
