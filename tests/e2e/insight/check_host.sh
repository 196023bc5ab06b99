#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# Who uses or filters an overlay's port, or its bridge's frames: `check` names them, says what to do, and
# is content once just that has been done.
#
#     c11          c21
#      |            |
#    vxbr0        vxbr0
#     h1 ____ sw ___ h2

ALL_TESTS="
	well
	port_shared
	port_taken_by_another_kind
	port_taken_by_a_program
	port_dropped_by_iptables
	port_dropped_by_nft
	port_let_in_is_no_news
	bridge_dropped_by_iptables
	bridge_dropped_by_nft
	bridge_let_through_is_no_news
	legacy_iptables_drop
	legacy_iptables_let_in
"
# shellcheck source=tests/lib/netns.sh
. "$(dirname "$0")/../../lib/netns.sh"

# shellcheck source=tests/lib/wrong.sh
. "$LIB/wrong.sh"

well() {
	two
	right h1
	reach_all c11 c21
	right h1
	right h2
	# Before `up`, too.
	vx h1 down vxbr0 || true
	right h1
}

# Others on the port: nothing breaks, but it is theirs, too.
port_shared() {
	two
	ip -n h1 link add calico type vxlan id 4096 dstport 4789 dev eth0 nolearning
	ip -n h1 link set calico up
	wrong h1 port_shared 'calico \(VNI 4096\) also uses UDP port 4789; .*another `port:`'
	reach_all c11 c21
	ip -n h1 link del calico
	ip -n h1 link add calico type vxlan id 4096 dstport 4790 dev eth0
	ip -n h1 link set calico up
	right h1
}

# The kernel gives a port's socket to one kind of device only.
port_taken_by_another_kind() {
	mesh 2
	ip -n h1 link add cilium type vxlan external dstport 4789
	ip -n h1 link set cilium up
	expect 1 vx h1 up vxbr0
	assert_match "takes every VNI on port 4789" "$ERR" "what up says"
	expect 3 vx h1 check vxbr0
	assert_match "^vxbr0: config: .*device cilium takes every VNI on port 4789" "$OUT" "what check says"
	ip -n h1 link set cilium down
	vx h1 up vxbr0
	wrong h1 port_shared 'cilium has .* cannot be up together with the overlay'
	ip -n h1 link del cilium
	right h1
	vx h1 down vxbr0
	ip -n h1 link add policed type vxlan id 77 gbp dstport 4789
	ip -n h1 link set policed up
	expect 1 vx h1 up vxbr0
	assert_match 'device policed has the socket of port 4789 with other settings' "$ERR" "what up says"
	expect 3 vx h1 check vxbr0
	assert_match "^vxbr0: config: .*device policed has the socket of port 4789" "$OUT" "what check says"
	ip -n h1 link set policed down
	vx h1 up vxbr0
	wrong h1 port_shared 'policed has another mode .*'
}

port_taken_by_a_program() {
	local holder many
	mesh 2
	right h1
	background h1 "$PYTHON" -IS -c 'import socket, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(("192.0.2.1", 4789))
t = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); t.bind(("192.0.2.1", 4790))
time.sleep(1000)'
	wait_for 10 on h1 grep -q ':12B5 ' /proc/net/udp
	holder=$PID
	# The sockets of any user make the kernel's list long.
	background h1 "$PYTHON" -IS -c 'import os, resource, socket, time
resource.setrlimit(resource.RLIMIT_NOFILE, (13000, 13000))
os.setuid(65534)
s = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for i in range(12000)]
for i, one in enumerate(s): one.bind(("192.0.2.1", 20000 + i))
time.sleep(1000)'
	many=$PID
	wait_for 20 on h1 bash -c '[ "$(wc -l </proc/net/udp)" -gt 12000 ]'
	expect 1 vx h1 up vxbr0
	wrong h1 port_shared "python.* \(pid $holder\) uses UDP port 4789 \(address 192.0.2.1\), so tunnels cannot come up; stop it"
	stop "$many"
	stop "$holder"
	right h1
	vx h1 up vxbr0
	right h1
}

port_dropped_by_iptables() {
	two
	on h1 iptables -P INPUT DROP
	on h1 iptables -A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
	on h1 iptables -A INPUT -i lo -j ACCEPT
	on h1 iptables -A INPUT -p icmp -j ACCEPT
	on h1 iptables -A INPUT -p tcp -m multiport --dports 22,4789 -j ACCEPT
	wrong h1 port_filtered 'chain INPUT of table ip filter drops packets from peers to UDP port 4789 by its policy; accept them with `iptables -I INPUT'
	unreachable c11 "$(ip4_of c21)"
	mend h1 1
	right h1
	reach_all c11 c21
	# And what the host sends; a rule, in a chain of its own.
	on h1 iptables -N others
	on h1 iptables -A others -p udp --dport 4000:5000 -j REJECT
	on h1 iptables -A OUTPUT -o eth0 -j others
	wrong h1 port_filtered 'chain others of table ip filter drops packets to UDP port 4789 of peers; accept them with '
	unreachable c11 "$(ip4_of c21)"
	mend h1 1
	right h1
	reach_all c11 c21
}

port_dropped_by_nft() {
	FAMILIES=6
	two
	on h1 nft -f - <<-'N'
		table inet wall {
			set open { type inet_service; flags interval; elements = { 22, 4790-4800 } }
			chain in {
				type filter hook input priority 0; policy drop
				ct state vmap { invalid : drop, established : accept, related : accept }
				iif lo accept
				meta l4proto ipv6-icmp accept
				iifname { "eth1", "wg0" } accept
				udp dport @open accept
				ip protocol icmp accept
			}
		}
	N
	wrong h1 port_filtered 'chain in of table inet wall drops packets from peers to UDP port 4789 by its policy; accept them with `nft insert rule inet wall in udp dport 4789 accept`'
	forget_neighbours c11 c21
	unreachable c11 "$(ip4_of c21)"
	mend h1 1
	right h1
	reach_all c11 c21
}

# However it is let in, or may be: whoever says so must be certain.
port_let_in_is_no_news() {
	local rule
	two
	on h1 nft -f - <<-'N'
		table inet wall {
			set hosts { type ipv4_addr; elements = { 192.0.2.2 } }
			set open { type inet_service; flags interval; elements = { 22, 4000-4800 } }
			chain more { }
			chain in { type filter hook input priority 0; policy drop; }
		}
	N
	wrong h1 port_filtered 'by its policy'
	for rule in "udp dport 4789 accept" "udp dport 4000-5000 accept" "udp dport @open accept" \
		"udp dport { 53, 4789 } accept" "ip saddr @hosts accept" "ip saddr 192.0.2.2 udp dport 4789 accept" \
		"iifname eth0 accept" "iif eth0 accept" "iifname \"eth*\" accept" "meta l4proto { tcp, udp } accept" \
		"ct state new accept" "udp dport vmap { 22 : drop, 4789 : accept }" "meta mark 7 accept" \
		"limit rate 100/second accept" "udp sport 40000-60000 accept" "jump more"; do
		on h1 nft flush chain inet wall more
		on h1 nft add rule inet wall more ip protocol udp accept
		on h1 nft flush chain inet wall in
		on h1 nft add rule inet wall in "$rule"
		echo "rule: $rule"
		right h1
	done
	# A table that is switched off, and a rule that comes to nothing.
	on h1 nft flush chain inet wall in
	wrong h1 port_filtered 'by its policy'
	on h1 nft 'table inet wall { flags dormant; }'
	right h1
	on h1 nft flush ruleset
	on h1 iptables -P INPUT DROP
	for rule in "-p udp --dport 4789" "-p udp -m multiport --dports 53,4000:5000" "-i eth0" "-i eth+" \
		"-m conntrack --ctstate NEW" "-s 192.0.2.0/24" "-m comment --comment x -p udp" "-m addrtype --dst-type LOCAL"; do
		on h1 iptables -F INPUT
		# shellcheck disable=SC2086
		on h1 iptables -A INPUT $rule -j ACCEPT
		echo "rule: $rule"
		right h1
	done
	on h1 iptables -F INPUT
	wrong h1 port_filtered 'by its policy'
}

nf_on() {
	on h1 test -e /proc/sys/net/bridge/bridge-nf-call-iptables || skip "no br_netfilter"
	on h1 sysctl -qw net.bridge.bridge-nf-call-iptables=1 net.bridge.bridge-nf-call-ip6tables=1
}

# As Docker leaves it.
bridge_dropped_by_iptables() {
	two
	nf_on
	right h1
	on h1 bash -ec 'iptables -P FORWARD DROP
		iptables -N DOCKER-USER; iptables -N DOCKER; iptables -N STAGE-1; iptables -N STAGE-2
		iptables -A FORWARD -j DOCKER-USER; iptables -A DOCKER-USER -j RETURN
		iptables -A FORWARD -j STAGE-1
		iptables -A STAGE-1 -i docker0 ! -o docker0 -j STAGE-2; iptables -A STAGE-1 -j RETURN
		iptables -A STAGE-2 -o docker0 -j DROP; iptables -A STAGE-2 -j RETURN
		iptables -A FORWARD -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
		iptables -A FORWARD -o docker0 -j DOCKER
		iptables -A DOCKER -d 172.17.0.2/32 -o docker0 -p tcp --dport 80 -j ACCEPT
		iptables -A FORWARD -i docker0 ! -o docker0 -j ACCEPT
		iptables -A FORWARD -i docker0 -o docker0 -j ACCEPT'
	wrong h1 bridge_filtered 'IPv4 frames .* chain FORWARD of table ip filter drops them by its policy; .*`iptables -I FORWARD -i vxbr0 -o vxbr0 -j ACCEPT`'
	unreachable c11 "$(ip4_of c21)"
	pings c11 "$(ip6_of c21)" 3
	mend h1 1
	right h1
	reach_all c11 c21
	# The other way to mend it.
	on h1 iptables -D FORWARD -i vxbr0 -o vxbr0 -j ACCEPT
	on h1 ip6tables -A FORWARD -p tcp -i vxbr0 -j REJECT
	found h1
	assert_eq 2 "$(grep -c 'bridge_filtered' <<<"$WRONG")" "verdicts ($WRONG)"
	assert_match 'IPv6 frames .* chain FORWARD of table ip6 filter drops them; .*ip6tables -I FORWARD' "$WRONG" "IPv6's"
	mend h1 2
	mend h1 4
	right h1
	reach_all c11 c21
}

# As firewalld leaves it.
bridge_dropped_by_nft() {
	two
	nf_on
	on h1 nft -f - <<-'N'
		table inet firewalld {
			chain filter_FORWARD {
				type filter hook forward priority filter + 10; policy accept;
				ct state { established, related } accept
				ct status dnat accept
				iifname "lo" accept
				ct state invalid drop
				ip6 daddr { ::/96, 2002::/24 } reject with icmpv6 addr-unreachable
				jump filter_FORWARD_POLICIES
				reject with icmpx admin-prohibited
			}
			chain filter_FORWARD_POLICIES {
				iifname "eth0" jump filter_FWD_public
				jump filter_FWD_policy
			}
			chain filter_FWD_public { accept; }
			chain filter_FWD_policy { iifname "docker0" oifname "eth0" accept; return; }
		}
	N
	found h1
	assert_eq 2 "$(grep -c 'bridge_filtered' <<<"$WRONG")" "verdicts ($WRONG)"
	assert_match 'IPv4 .* chain filter_FORWARD of table inet firewalld drops them; .*`nft insert rule inet firewalld filter_FORWARD iifname vxbr0 oifname vxbr0 accept`' "$WRONG" "verdict"
	unreachable c11 "$(ip4_of c21)"
	mend h1 1
	right h1
	reach_all c11 c21
}

bridge_let_through_is_no_news() {
	local rule
	two
	nf_on
	on h1 iptables -P FORWARD DROP
	for rule in "-m physdev --physdev-is-bridged" "-i vxbr0" "-i vx+" "-s 198.51.100.0/24" "-o vxbr0 -m conntrack --ctstate NEW"; do
		on h1 iptables -F FORWARD
		# shellcheck disable=SC2086
		on h1 iptables -A FORWARD $rule -j ACCEPT
		echo "rule: $rule"
		right h1
	done
	on h1 iptables -F FORWARD
	wrong h1 bridge_filtered 'by its policy'
	on h1 sysctl -qw net.bridge.bridge-nf-call-iptables=0
	right h1
	# A bridge can ask for it by itself.
	ip -n h1 link set vxbr0 type bridge nf_call_iptables 1
	wrong h1 bridge_filtered 'by its policy; .*disable the firewall on this bridge'
	unreachable c11 "$(ip4_of c21)"
	mend h1 2
	right h1
	reach_all c11 c21
}

# The iptables of before nf_tables, where the kernel still has them.
legacy_on() {
	command -v iptables-legacy >/dev/null || skip "no iptables-legacy"
	on h1 iptables-legacy -S >/dev/null 2>&1 || skip "this kernel has no legacy iptables"
	nf_on
}

legacy_iptables_drop() {
	two
	legacy_on
	right h1
	on h1 bash -ec 'iptables-legacy -P FORWARD DROP
		iptables-legacy -N DOCKER; iptables-legacy -N STAGE
		iptables-legacy -A FORWARD -j STAGE
		iptables-legacy -A STAGE -i docker0 ! -o docker0 -j DROP; iptables-legacy -A STAGE -j RETURN
		iptables-legacy -A FORWARD -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
		iptables-legacy -A FORWARD -o docker0 -j DOCKER
		iptables-legacy -A FORWARD -i docker0 ! -o docker0 -j ACCEPT
		iptables-legacy -A FORWARD -p icmp -j ACCEPT'
	wrong h1 bridge_filtered 'chain FORWARD of table ip filter drops them by its policy; .*`iptables-legacy -I FORWARD -i vxbr0 -o vxbr0 -j ACCEPT`'
	mend h1 1
	right h1
	on h1 iptables-legacy -F
	on h1 iptables-legacy -P FORWARD ACCEPT
	on h1 iptables-legacy -N wall
	on h1 iptables-legacy -A INPUT -i eth0 -g wall
	on h1 iptables-legacy -A wall -p tcp -j RETURN
	on h1 iptables-legacy -A wall -p udp -m udp --dport 4789 -j REJECT
	wrong h1 port_filtered 'chain INPUT of table ip filter drops packets from peers to UDP port 4789; accept them with `iptables-legacy -I INPUT -p udp --dport 4789 -j ACCEPT`'
	unreachable c11 "$(ip4_of c21)"
	mend h1 1
	right h1
	reach_all c11 c21
	on h1 iptables-legacy -F
	on h1 ip6tables-legacy -P FORWARD DROP
	wrong h1 bridge_filtered 'IPv6 frames .*ip6tables-legacy -I FORWARD -i vxbr0 -o vxbr0 -j ACCEPT`'
	mend h1 1
	right h1
	reach_all c11 c21
}

legacy_iptables_let_in() {
	local rule
	two
	legacy_on
	on h1 iptables-legacy -P INPUT DROP
	for rule in "-p udp --dport 4789" "-p udp -m multiport --dports 53,4000:5000" "-i eth0" "-i eth+" \
		"-m conntrack --ctstate NEW" "-s 192.0.2.0/24" "! -p tcp" "! -i lo" "-m comment --comment x -p udp" \
		"-m addrtype --dst-type LOCAL" "-p udp -m limit --limit 5/s"; do
		on h1 iptables-legacy -F INPUT
		# shellcheck disable=SC2086
		on h1 iptables-legacy -A INPUT $rule -j ACCEPT
		echo "rule: $rule"
		right h1
	done
	for rule in "-p tcp" "! -i eth0" "-p udp --dport 4790" "-m conntrack --ctstate RELATED,ESTABLISHED" "! -p udp"; do
		on h1 iptables-legacy -F INPUT
		# shellcheck disable=SC2086
		on h1 iptables-legacy -A INPUT $rule -j ACCEPT
		echo "rule: $rule"
		wrong h1 port_filtered 'by its policy'
	done
}

run_tests
