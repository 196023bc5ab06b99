# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# A real terminal (tmux) for programs that draw, or colour what they say.
#
#   terminal HOST WIDTH HEIGHT     a shell there, in a window of that size; `typed` into it
#   typed TEXT [KEY...]            keys, in tmux's names: typed q; typed '' Enter
#   command TEXT                   a line, with Enter
#   pane                           what is on the screen now
#   sees REGEX                     is it on the screen?
#   resized WIDTH HEIGHT

TMUX_SOCKET=$WORK/tmux
unset TMUX

tm() {
	tmux -S "$TMUX_SOCKET" -f /dev/null "$@"
}

# The shell is plain, so that its prompt and echo are the same everywhere.
terminal() {
	local locale=${SCREEN_LOCALE:-C.UTF-8}
	enter "$1"
	LC_ALL=C.UTF-8 tm -u new-session -d -x "$2" -y "$3" -s main \
		"${ENTER[@]}" env -u TMUX LC_ALL="$locale" TERM=screen-256color PS1='ready> ' \
		${NO_COLOR:+NO_COLOR="$NO_COLOR"} PATH="$(dirname "$VXBPF"):$PATH" bash --norc --noprofile
	tm set-option -g status off
	tm set-option -g remain-on-exit on
	tm resize-window -x "$2" -y "$3"
	on_exit tm kill-server
	wait_for 10 sees '^ready>'
}

typed() {
	[ -z "$1" ] || tm send-keys -t main -l "$1"
	shift
	[ $# -eq 0 ] || tm send-keys -t main "$@"
}

command_line() {
	typed "$1" Enter
}

pane() {
	LC_ALL=C.UTF-8 tm capture-pane -p "$@" -t main
}

sees() {
	pane | grep -E -- "$1" >/dev/null
}

sees_not() {
	! sees "$1"
}

resized() {
	tm resize-window -x "$1" -y "$2"
}
