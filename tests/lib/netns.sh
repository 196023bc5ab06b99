# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Hosts, containers and a switch made of namespaces. Sourced by the scripts in tests/e2e.
#
# Each script runs itself again in a world of its own: private network, mount and process
# namespaces, /run and /etc/vxbpf its own. So names cannot clash, and when the script ends, however it ends,
# the kernel takes every process, namespace and file of it away.
#
#   mesh N [YAML LINE...]     hosts h1..hN on the switch `sw` (underlay eth0) and their config file
#   mesh_up [HOST...]         `vxbpf up` on each, in that order; mesh_down likewise
#   container h1 c1           namespace c1 on h1's bridge: 198.51.100.1, 2001:db8:1::1, MTU 1450
#   node s9                   a stranger on the switch: 192.0.2.9, 2001:db8::9
#   on NAME CMD...            a command in that namespace (hosts: also its bpffs, /sys, /etc/vxbpf)
#   vx h1 ARGS...             the program under test, on that host
#
# Set before `mesh`: FAMILIES="4 46 6" (of each host's underlay; the last one repeats), IPV6=0 (no
# IPv6 on bridges and in containers, so that no MLD or ND frame disturbs exact counts), PEER_MORE_h1
# (more keys of that host's entry in the file). With PLAIN=1 the mesh is the kernel's own, by `ip`.

if [ -z "${VXBPF_WORLD:-}" ]; then
	[ "$(id -u)" -eq 0 ] || { echo "1..0 # SKIP needs root" && exit 0; }
	VXBPF_WORLD=1 exec unshare --mount --net --pid --fork --kill-child --mount-proc bash "$0" "$@"
fi
mount -t tmpfs tmpfs /run && mkdir -p /run/netns /run/test/etc /run/test/upper /run/test/work || exit 1
mount -t overlay -o lowerdir=/etc,upperdir=/run/test/upper,workdir=/run/test/work overlay /etc || exit 1
mkdir -p /etc/vxbpf && ip link set lo up || exit 1
# As `ip netns add` would do; later it would mount those that are there a second time.
mount --bind /run/netns /run/netns && mount --make-shared /run/netns || exit 1
while mountpoint -q /sys/fs/bpf; do umount /sys/fs/bpf || exit 1; done # that of the machine is not ours
export TMPDIR=/run/test
WORK=/run/test

LIB=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
HERE=$(cd "$(dirname "$0")" && pwd) # the script and helpers of its own
export HERE
# shellcheck source=tests/lib/tap.sh
. "$LIB/tap.sh"
# shellcheck source=tests/lib/traffic.sh
. "$LIB/traffic.sh"
# shellcheck source=tests/lib/state.sh
. "$LIB/state.sh"
# shellcheck source=tests/lib/plain.sh
. "$LIB/plain.sh"

VXBPF=$(realpath -m "$TOP/$BUILD/vxbpf")
case $BUILD in /*) VXBPF=$BUILD/vxbpf ;; esac
[ -n "${PLAIN:-}" ] || [ -x "$VXBPF" ] || bail_out "$BUILD/vxbpf is not built"

IPV6=${IPV6:-1}
FAMILIES=${FAMILIES:-4}
HOSTS=()
ENTER=()

# enter NAME: sets ENTER to the command that runs another one inside NAME.
enter() {
	local pid
	ENTER=(nsenter --net="/run/netns/$1")
	[ ! -e "$WORK/$1.pid" ] || { read -r pid <"$WORK/$1.pid" && ENTER=(nsenter --target "$pid" --net --mount); }
}

on() {
	enter "$1"
	"${ENTER[@]}" "${@:2}"
}

vx() {
	on "$1" "$VXBPF" "${@:2}"
}

# background NAME CMD...: starts it there; its pid is in PID; ended with the case.
background() {
	enter "$1"
	"${ENTER[@]}" "${@:2}" &
	PID=$!
	on_exit stop $PID
}

stop() {
	kill "$1" 2>/dev/null || true
	wait "$1" 2>/dev/null || true
}

number() {
	echo $((10#0${1//[!0-9]/}))
}

# named NAME: its addresses, as the functions below print them, in variables: a process for each would take longer
# than what is done with them.
named() {
	local n=$((10#0${1//[!0-9]/})) all
	read -r -a all <<<"$FAMILIES"
	OWN_FAMILIES=${all[n - 1]:-${all[-1]}} OWN4=192.0.2.$n OVERLAY4=198.51.100.$n
	printf -v OWN6 '2001:db8::%x' "$n"
	printf -v OVERLAY6 '2001:db8:1::%x' "$n"
	printf -v OWN_MAC '02:a0:00:00:00:%02x' "$n"
	printf -v OVERLAY_MAC '02:c0:00:00:00:%02x' "$n"
}

# Nothing may send by itself: no DAD, no router solicitations, no advertisements taken, multicast
# memberships reported once and at once. And the kernel's own source checks help nobody pass a test.
CALM='cd /proc/sys/net/ipv4; echo 1 >igmp_qrv
for f in all default; do echo 0 >conf/$f/rp_filter; done
for f in all default; do cd /proc/sys/net/ipv6/conf/$f
	echo 0 >accept_dad; echo 0 >accept_ra; echo 0 >router_solicitations; echo 0 >dad_transmits
done; cd /'

# host NAME: a machine: network and mount namespace, own bpffs, own /sys, own /etc/vxbpf.
host() {
	local name=$1 pid
	mkdir -p "$WORK/etc/$name"
	unshare --net --mount bash -c "mount -t sysfs sysfs /sys && mount -t bpf bpf /sys/fs/bpf &&
		mount --bind $WORK/etc/$name /etc/vxbpf && $CALM
		echo $((1 - IPV6)) >/proc/sys/net/ipv6/conf/default/disable_ipv6
		ip link set lo up && : >$WORK/$name.ready && exec sleep infinity" &
	pid=$!
	echo $pid >"$WORK/$name.pid"
	netns_ends "$name"
	on_exit remove_host "$name" $pid
	wait_for 10 test -e "$WORK/$name.ready"
	ip netns attach "$name" $pid
}

remove_host() {
	stop "$2"
	rm -rf "${WORK:?}/etc/$1" "$WORK/$1.pid" "$WORK/$1.ready"
}

# netns_ends NAME: it goes when the case ends, together with all others: a process for each takes longer.
netns_ends() {
	if [ "${NETNS_OF:-}" != "$BASHPID" ]; then
		NETNS_OF=$BASHPID NETNS=
		on_exit remove_netns
	fi
	NETNS="netns del $1"$'\n'"$NETNS"
}

remove_netns() {
	ip -force -batch - <<<"$NETNS"
	NETNS_OF=
}

# bare_netns NAME: the loopback device is still down.
bare_netns() {
	: >"/run/netns/$1"
	netns_ends "$1"
	unshare --net="/run/netns/$1" bash -c "$CALM
		echo $((1 - IPV6)) >/proc/sys/net/ipv6/conf/default/disable_ipv6"
}

# netns NAME: a namespace that needs nothing but a network.
netns() {
	bare_netns "$1"
	ip -n "$1" link set lo up
}

switch() {
	bare_netns "$1"
	ip -n "$1" -batch - <<-END
		link set lo up
		link add br0 up mtu 9000 type bridge stp_state 0 mcast_snooping 0 forward_delay 0
		link set br0 addrgenmode none
	END
}

# plug NAME SWITCH [IF] [MAC]: a cable from NAME's IF to the switch, where it ends in NAME-IF.
plug() {
	local name=$1 sw=$2 dev=${3:-eth0} mac=${4:-}
	named "$name"
	[ -n "$mac" ] || mac=$OWN_MAC
	ip link add "$name-$dev" netns "$sw" address "02:5a${mac:5}" type veth \
		peer name "$dev" netns "$name" address "$mac"
	ip -n "$sw" link set "$name-$dev" master br0 addrgenmode none up
	# The underlay has IPv6 also where containers have none.
	if [ "$IPV6" -eq 1 ]; then
		ip -n "$name" link set "$dev" up
	else
		on "$name" bash -c "echo 0 >/proc/sys/net/ipv6/conf/$dev/disable_ipv6; exec ip link set $dev up"
	fi
}

families_of() {
	local all
	read -r -a all <<<"$FAMILIES"
	echo "${all[$1 - 1]:-${all[-1]}}"
}

address4() { echo "192.0.2.$(number "$1")"; }
address6() { printf '2001:db8::%x\n' "$(number "$1")"; }
mac_of() { printf '02:c0:00:00:00:%02x\n' "$(number "$1")"; }
underlay_mac() { printf '02:a0:00:00:00:%02x\n' "$(number "$1")"; }
ip4_of() { echo "198.51.100.$(number "$1")"; }
ip6_of() { printf '2001:db8:1::%x\n' "$(number "$1")"; }

# address NAME IF: its underlay addresses, as FAMILIES has it.
address() {
	local lines=
	named "$1"
	case $OWN_FAMILIES in *4*) lines+="addr add $OWN4/24 dev $2"$'\n' ;; esac
	case $OWN_FAMILIES in *6*) lines+="addr add $OWN6/64 dev $2 nodad" ;; esac
	ip -n "$1" -batch - <<<"$lines"
}

node() {
	bare_netns "$1"
	plug "$1" sw
	named "$1"
	ip -n "$1" -batch - <<-END
		link set lo up
		addr add $OWN4/24 dev eth0
		addr add $OWN6/64 dev eth0 nodad
	END
}

peer_line() {
	local more="PEER_MORE_$1"
	named "$1"
	case $OWN_FAMILIES in
	4) echo "  - { name: $1, address: $OWN4${!more:-} }" ;;
	6) echo "  - { name: $1, address: \"$OWN6\"${!more:-} }" ;;
	46) echo "  - { name: $1, address: $OWN4, address6: \"$OWN6\"${!more:-} }" ;;
	esac
}

# config OVERLAY [YAML LINE...]: the same file for every host in HOSTS; PEERS lists others than HOSTS.
config() {
	local overlay=$1 name
	shift
	{
		[ $# -eq 0 ] || printf '%s\n' "$@"
		[ -z "${FASTPATH:-}" ] || echo "fastpath: $FASTPATH"
		echo "peers:"
		for name in ${PEERS:-"${HOSTS[@]}"}; do peer_line "$name"; done
	} >"$WORK/config"
	for name in "${HOSTS[@]}"; do cp "$WORK/config" "$WORK/etc/$name/$overlay.yaml"; done
}

# hosts N: h1..hN on the switch, without an overlay.
hosts() {
	local i
	switch sw
	for ((i = 1; i <= $1; i++)); do
		host "h$i"
		plug "h$i" sw
		address "h$i" eth0
		HOSTS+=("h$i")
	done
}

mesh() {
	hosts "$1"
	config vxbr0 "${@:2}"
}

# calm_hosts N [YAML LINE...]: the same, and iptables see no bridged frames, as br_netfilter has it by itself,
# which keeps `fastpath: auto` off.
calm_hosts() {
	local host
	mesh "$@"
	for host in "${HOSTS[@]}"; do
		[ ! -e /proc/sys/net/bridge ] ||
			on "$host" sysctl -qw net.bridge.bridge-nf-call-{ip,ip6,arp}tables=0
	done
}

mesh_up() {
	local name
	[ $# -gt 0 ] || set -- "${HOSTS[@]}"
	for name; do
		if [ -n "${PLAIN:-}" ]; then plain_up "$name"; else vx "$name" up vxbr0; fi
	done
}

mesh_down() {
	local name
	[ $# -gt 0 ] || set -- "${HOSTS[@]}"
	for name; do
		if [ -n "${PLAIN:-}" ]; then plain_down "$name"; else vx "$name" down vxbr0; fi
	done
}

# container HOST NAME [BRIDGE]: addresses by the number in its name.
container() {
	local host=$1 name=$2 bridge=${3:-vxbr0} ipv6=
	bare_netns "$name"
	named "$name"
	[ "$IPV6" -eq 0 ] || ipv6="addr add $OVERLAY6/64 dev eth0 nodad"
	ip link add "$name" netns "$host" mtu 1450 type veth \
		peer name eth0 netns "$name" mtu 1450 address "$OVERLAY_MAC"
	# Both ends up first: then the port forwards at once, without waiting for the carrier's news.
	ip -n "$name" -batch - <<-END
		link set lo up
		link set eth0 up
		addr add $OVERLAY4/24 dev eth0
		$ipv6
	END
	ip -n "$host" -batch - <<-END
		link set $name addrgenmode none up
		link set $name master $bridge
	END
	# A port is the fast path's only once it is hooked.
	if [ -n "${FASTPATH:-}" ] && [ -z "${PLAIN:-}" ] && [ -e "$WORK/etc/$host/$bridge.yaml" ] &&
		ip -n "$host" -o link show type vxlan | grep . >/dev/null; then
		vx "$host" up "$bridge"
		leased "$host" "$bridge"
	fi
}

# leased HOST [OVERLAY]: the fast path's doors into veths stay open as if `vxbpf watch` ran, and for good.
leased() {
	on "$1" bpftool map update pinned "/sys/fs/bpf/vxbpf/${2:-vxbr0}/lease" key 0 0 0 0 \
		value 255 255 255 255 255 255 255 127
}

# containers_each K: K containers on every host, c<host><n>: c11 c12 c21 c22 ...
containers_each() {
	local name k
	for name in "${HOSTS[@]}"; do
		for ((k = 1; k <= $1; k++)); do container "$name" "c${name#h}$k"; done
	done
}

# acquainted C1 C2: both know each other's MAC for good, so that only what is meant is on the wire.
acquainted() {
	local first second
	for first in "$1 $2" "$2 $1"; do
		second=${first#* } first=${first% *}
		named "$second"
		ip -n "$first" neigh replace "$OVERLAY4" lladdr "$OVERLAY_MAC" dev eth0 nud permanent
		[ "$IPV6" -eq 0 ] ||
			ip -n "$first" neigh replace "$OVERLAY6" lladdr "$OVERLAY_MAC" dev eth0 nud permanent
	done
}
