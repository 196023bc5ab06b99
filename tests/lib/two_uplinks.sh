# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Two hosts with two cables, eth0 on `sw` and eth1 on `sw2`. After netns.sh.
#
#   two_uplinks [YAML LINE...]   h1 and h2, with an address for routes on each device, and their config file
#   second_cables                the second switch alone, for a mesh that is there
#   by HOST DEV METRIC           its route to the other one by that device
#   fails HOST DEV               that route is gone
#   for_both CMD ARGS...         one of these, on h1 and on h2
#   guarded HOST                 the devices with a guard in both directions

two_uplinks() {
	calm_hosts 2 "$@"
	second_cables
}

# second_cables: after `mesh 2` or the like, with FAMILIES 4 or 6.
second_cables() {
	local name dev bits=24
	[ "$FAMILIES" != 6 ] || bits=64
	switch sw2
	for name in h1 h2; do
		plug "$name" sw2 eth1 "02:a1:00:00:00:0$(number "$name")"
		for dev in eth0 eth1; do
			ip -n "$name" addr add "$(gateway "$name" "$dev")/$bits" dev "$dev"
		done
	done
}

# gateway HOST DEV: its second address, by which the other one sends to it on that switch.
gateway() {
	local net=11
	[ "$2" = eth0 ] || net=12
	if [ "$FAMILIES" = 6 ]; then
		echo "2001:db8:$net::$(number "$1")"
	else
		echo "198.51.$((net + 90)).$(number "$1")"
	fi
}

other() { case $1 in h1) echo h2 ;; *) echo h1 ;; esac }

by() {
	local to
	to=$(other "$1")
	ip -n "$1" route add "$(address4 "$to")" src "$(address4 "$1")" via "$(gateway "$to" "$2")" dev "$2" metric "$3"
}

fails() {
	ip -n "$1" route del "$(address4 "$(other "$1")")" via "$(gateway "$(other "$1")" "$2")" dev "$2"
}

for_both() {
	"$1" h1 "${@:2}"
	"$1" h2 "${@:2}"
}

guarded() {
	hooks "$1" | sed -n 's/^\(eth[0-9]*\) in wire_in$/\1/p; s/^\(eth[0-9]*\) out wire_out$/\1/p' | sort | uniq -d |
		tr '\n' ' '
}
