# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Trains of VXLAN packets, see train.py: made, sent, and what is counted of them.

HONEST=02:ee:00:00:00:02
FORGED=02:ee:00:00:00:03

end_of() {
	case $FAMILIES in 6) address6 "$1" ;; *) address4 "$1" ;; esac
}

# datagram VNI SOURCE_MAC DEST [ZEROS]: a frame to that container, in DATAGRAM.
datagram() {
	DATAGRAM=(vxlan "vni=$1" eth "dst=$(mac_of "$3")" "src=$2" data "zeros=${4:-60}")
}

# train VNI:TIMES... in TRAIN: so many frames to TO; those with the VNI of FORGED_VNI have the source MAC by which they
# are known. ZEROS is their size.
train() {
	local part source
	TRAIN=()
	for part; do
		source=$HONEST
		[ "${part%:*}" != "$FORGED_VNI" ] || source=$FORGED
		datagram "${part%:*}" "$source" "$TO" "${ZEROS:-60}"
		TRAIN+=("+${part#*:}" "${DATAGRAM[@]}")
	done
}

by_socket() { # WHERE SRC DST N, with TRAIN
	on "$1" "$PYTHON" -IS "$LIB/train.py" socket "${@:2}" "${TRAIN[@]}"
}

by_device() { # WHERE DEV N OUTER..., with TRAIN
	local status=0
	on "$1" "$PYTHON" -IS "$LIB/train.py" raw "${@:2}" - "${TRAIN[@]}" || status=$?
	[ $status -ne 4 ] || skip "a packet socket of this kernel takes no train of UDP datagrams"
	return $status
}

# Whether a train stays one packet until it is received, or the device makes packets of it.
joined() { # HOST on|off
	on "$1" ethtool -K eth0 tx-udp-segmentation "$2" gso "$2"
}

total_of_drops() { # HOST
	status_json "$1" | jq '.[0] | [.drops, .peers[].drops] | map(add) | add'
}

# counted_within HOST LEAST MOST: of all reasons together, since `before_drops`.
before_drops() {
	DROPS0=$(total_of_drops "$1")
}

counted_within() {
	local got
	within() {
		got=$(($(total_of_drops "$1") - DROPS0))
		[ "$got" -ge "$2" ] && [ "$got" -le "$3" ]
	}
	eventually 2 within "$@" || fail "drops counted on $1: wanted $2 to $3, got $got"
}
