# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2016
# vxbpf demo. Run by cmd_demo.c in its own mount, network and process namespace, as process 1 there:
# when it ends, however it ends, the kernel takes every process, device, mount and file of it away.
# $1 is the vxbpf to show. Needs only what every Debian has: bash, iproute2, util-linux, ping, perl.
#
#    alpha .1      beta .2       gamma .3      stranger .66
#      | eth0        | eth0        | eth0        | eth0
#   ---+-------------+-------------+-------------+---      one network, 192.0.2.0/24
#
# On each host a bridge vxbr0 with two containers: a1 a2, b1 b2, c1 c2, 198.51.100.0/24.

set -euo pipefail
trap 'echo; echo "Interrupted; everything is removed."; exit 130' INT TERM HUP

vxbpf=$1
hosts=(alpha beta gamma)
containers=(a1 a2 b1 b2 c1 c2)
declare -A pid # of the process that holds the namespace of that name

fail() {
	echo "vxbpf: demo: $*" >&2
	exit 1
}

say() {
	printf '\n%s\n' "$*"
}

# eventually CMD...: within three seconds.
eventually() {
	local i
	for ((i = 0; i < 60; i++)); do
		if "$@"; then return 0; fi
		sleep 0.05
	done
	return 1
}

is_holding() {
	local comm
	read -r comm 2>/dev/null <"/proc/$1/comm" && [ "$comm" = sleep ]
}

# hold NAME OPTION...: new namespaces, held by a process that sleeps.
hold() {
	unshare "${@:2}" sleep infinity </dev/null &
	pid[$1]=$!
	eventually is_holding "${pid[$1]}" || fail "$1: no namespace to be had"
}

# on NAME CMD...: there. Hosts have their own mounts, too.
on() {
	nsenter --target "${pid[$1]}" --net --mount -- "${@:2}"
}

ip_of() {
	case $1 in
	alpha) echo 192.0.2.1 ;;
	beta) echo 192.0.2.2 ;;
	gamma) echo 192.0.2.3 ;;
	stranger) echo 192.0.2.66 ;;
	a?) echo "198.51.100.1${1#a}" ;;
	b?) echo "198.51.100.2${1#b}" ;;
	c?) echo "198.51.100.3${1#c}" ;;
	esac
}

# /etc/vxbpf of this demo alone, whether the machine has one or not.
private_config() {
	local spare
	if [ ! -d /etc/vxbpf ]; then
		for spare in /mnt /media /srv; do
			case $vxbpf in "$spare"/*) ;; *) break ;; esac
		done
		mount -t tmpfs tmpfs $spare && mkdir $spare/upper $spare/work
		mount -t overlay -o lowerdir=/etc,upperdir=$spare/upper,workdir=$spare/work overlay /etc
		mkdir /etc/vxbpf
	fi
	mount -t tmpfs tmpfs /etc/vxbpf
	cat >/etc/vxbpf/vxbr0.yaml <<-END
		peers:
		  - { name: alpha, address: $(ip_of alpha) }
		  - { name: beta,  address: $(ip_of beta) }
		  - { name: gamma, address: $(ip_of gamma) }
	END
}

# machine NAME: plugged into the one network. Where this machine has br_netfilter (for Docker, say), iptables
# would look at every namespace's bridged frames: not so on these hosts, as on a fresh Debian.
machine() {
	hold "$1" --net --mount
	on "$1" bash -c 'mount -t sysfs sysfs /sys && mount -t bpf bpf /sys/fs/bpf
		for i in /proc/sys/net/bridge/bridge-nf-call-*; do [ ! -e $i ] || echo 0 >$i; done
		echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6 || true' 2>/dev/null
	ip link add "$1" up master wire type veth peer name eth0 netns "${pid[$1]}"
	on "$1" ip -batch - <<-END
		link set lo up
		link set eth0 up
		address add $(ip_of "$1")/24 dev eth0
	END
}

# container NAME HOST: as LXD or Docker would, a veth into the host's bridge.
container() {
	hold "$1" --net
	on "$1" bash -c 'echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6' 2>/dev/null || true
	on "$2" ip link add "$1" mtu 1450 up master vxbr0 type veth \
		peer name eth0 mtu 1450 netns "${pid[$1]}"
	on "$1" ip -batch - <<-END
		link set lo up
		link set eth0 up
		address add $(ip_of "$1")/24 dev eth0
	END
}

# dropped HOST REASON: what no peer is to blame for, the last of these keys in `status --json`.
dropped() {
	on "$1" "$vxbpf" status vxbr0 --json | sed -n "s/^ *\"$2\": *\([0-9]*\).*/\1/p" | tail -n 1
}

is_accelerated() {
	! on "$1" "$vxbpf" status vxbr0 --json | grep '"accelerated": *false' >/dev/null
}

ping_all() {
	local from to sent=0 answered=0
	for from in "${containers[@]}"; do
		for to in "${containers[@]}"; do
			if [ "${from%?}" = "${to%?}" ]; then continue; fi
			sent=$((sent + 1))
			if on "$from" ping -q -n -c 1 -W 2 "$(ip_of "$to")" >/dev/null; then
				answered=$((answered + 1))
			fi
		done
	done
	echo "  ping: $answered of $sent answered, each between containers on different hosts"
	[ $answered -eq $sent ] || fail "pings between containers were lost"
}

# 64 MiB from a1 on alpha to c2 on gamma; the receiver counts.
transfer() {
	local got size=67108864 begin end
	exec 3< <(on c2 perl -MIO::Socket::INET -e 'alarm 20; $| = 1;
		my $s = IO::Socket::INET->new(LocalPort => 5000, Listen => 1) or die; print "ready\n";
		my $c = $s->accept; my ($n, $got, $buf) = (0);
		while ($got = sysread $c, $buf, 1 << 20) { $n += $got } print "$n\n"')
	read -r _ <&3 || fail "the receiver did not start"
	begin=${EPOCHREALTIME/[.,]/}
	on a1 perl -MIO::Socket::INET -e 'alarm 20; my $left = $ARGV[1];
		my $s = IO::Socket::INET->new(PeerAddr => "$ARGV[0]:5000") or die "connect: $!\n";
		while ($left > 0) { $left -= syswrite($s, "x" x 262144) // die "send: $!\n" }' \
		"$(ip_of c2)" $size || fail "the transfer broke off"
	read -r got <&3 || got=nothing
	end=${EPOCHREALTIME/[.,]/}
	exec 3<&-
	[ "$got" = $size ] || fail "of $size bytes sent $got arrived"
	echo "  TCP:  64 MiB from a1 on alpha to c2 on gamma, at $((size * 8 / (end - begin))) Mbit/s"
}

# A program for containers and strangers: Ethernet frames of our own type, sent bare or in VXLAN.
frames='use Socket; alarm 10; $| = 1; my ($what, @arg) = @ARGV;
	my $type = 0x88b5; my $frame = sub { ("\xff" x 6) . "\x02\0\0\0\0\x99" . pack("n a46", $type, shift) };
	if ($what eq "spoof") { my ($to, $vni, $n) = @arg;
		socket(my $s, PF_INET, SOCK_DGRAM, 0) or die; my $at = pack_sockaddr_in(4789, inet_aton($to));
		send($s, pack("C x3 N", 8, $vni << 8) . $frame->("spoofed"), 0, $at) or die "$!\n" for 1 .. $n; exit }
	socket(my $s, 17, SOCK_RAW, unpack("S", pack("n", $type))) or die "$!\n";
	my $if = pack("a40", "eth0"); ioctl($s, 0x8933, $if) or die; $if = unpack("x16 i", $if);
	if ($what eq "send") { send($s, $frame->("honest"), 0, pack("S n i x12", 17, $type, $if)) or die "$!\n"; exit }
	my %got = (spoofed => 0, honest => 0); print "ready\n";
	until ($got{honest}) { recv($s, my $f, 2000, 0); $got{unpack("x14 Z*", $f)}++ }
	print "$got{spoofed} $got{honest}\n"'

# A stranger on the same network sends what beta would; b1 then sends one honest frame.
spoof() {
	local vni spoofed honest n=5 before after
	vni=$(on alpha "$vxbpf" status vxbr0 --json | sed -n '/"name": *"beta"/,/"vni"/s/.*"vni": *\([0-9]*\).*/\1/p')
	before=$(dropped alpha unknown_source)
	exec 3< <(on a1 perl -e "$frames" listen)
	read -r _ <&3 || fail "no listener in a1"
	on stranger perl -e "$frames" spoof "$(ip_of alpha)" "$vni" $n
	sleep 0.1
	on b1 perl -e "$frames" send
	read -r spoofed honest <&3 || fail "the honest frame from b1 did not reach a1"
	exec 3<&-
	after=$(dropped alpha unknown_source)
	echo "  sent by the stranger: $n frames for a1 in VXLAN with the VNI of alpha and beta ($vni)"
	echo "  reached a1:           $spoofed of them, and $honest of 1 that b1 sent"
	echo "  refused and counted:  unknown_source $before -> $after on alpha"
	[ "$spoofed" -eq 0 ] || fail "spoofed frames reached a container"
	[ $((after - before)) -eq $n ] || fail "the refused frames were not counted exactly"
}

for tool in ip ping perl nsenter; do
	command -v $tool >/dev/null || fail "$tool is missing: install iproute2, iputils-ping, perl-base, util-linux"
done

echo "Three hosts on one network, in namespaces of this machine, and one config file for all:" 2>/dev/null ||
	fail "write to stdout: it takes nothing"
echo
private_config
sed 's/^/  /' /etc/vxbpf/vxbr0.yaml
ip link add wire up type bridge
for name in "${hosts[@]}" stranger; do machine "$name"; done

say "\`vxbpf up\` on each of them, and two containers on each bridge:"
for name in "${hosts[@]}"; do on "$name" "$vxbpf" up || fail "up failed on $name"; done
for name in "${containers[@]}"; do
	case $name in a?) container "$name" alpha ;; b?) container "$name" beta ;; *) container "$name" gamma ;; esac
done
# The containers came after: `vxbpf watch` finds their ports, as the service does on real hosts.
for name in "${hosts[@]}"; do
	on "$name" "$vxbpf" watch >/dev/null &
	eventually is_accelerated "$name" || fail "$name: vxbpf watch does not accelerate the ports"
done
ping_all
transfer

say "\`vxbpf ping gamma\` on alpha, through the tunnel and back:"
echo
on alpha "$vxbpf" ping gamma -c 2 -s 1450 | sed 's/^/  /' || fail "gamma does not answer alpha"

say "A stranger on the same network pretends to be beta:"
spoof

say "\`vxbpf status\` on alpha:"
echo
on alpha "$vxbpf" status || fail "something is wrong on alpha"

say "Works. All of it lived in namespaces of its own, which end with this line."
