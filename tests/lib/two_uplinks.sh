# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Two hosts with two cables, eth0 on `sw` and eth1 on `sw2`. After netns.sh.
#
#   two_uplinks [YAML LINE...]   h1 and h2, with an address for routes on each device, and their config file
#   by HOST DEV METRIC           its route to the other one by that device
#   fails HOST DEV               that route is gone
#   for_both CMD ARGS...         one of these, on h1 and on h2
#   guarded HOST                 the devices with a guard in both directions

two_uplinks() {
	local name dev
	calm_hosts 2 "$@"
	switch sw2
	for name in h1 h2; do
		plug "$name" sw2 eth1 "02:a1:00:00:00:0$(number "$name")"
		for dev in eth0 eth1; do
			ip -n "$name" addr add "$(gateway "$name" "$dev")/24" dev "$dev"
		done
	done
}

# gateway HOST DEV: its second address, by which the other one sends to it on that switch.
gateway() {
	case $2 in
	eth0) echo "198.51.101.$(number "$1")" ;;
	*) echo "198.51.102.$(number "$1")" ;;
	esac
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
