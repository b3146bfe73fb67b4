# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh
#
# DNS of the demo's world: NSD with the zone test. and one zone a domain. The
# DIME domains are signed and have a DS record in test.; gamma.test has none, so
# that a resolver can prove that it is not signed.

DNS_ADDRESS=127.0.53.1
DNS_PORT=5353
DNS_ANCHOR=anchor.key

# Zone keys, the zones and NSD's configuration.
dns_make() {
	local dns zone
	dns=$WORLD/dns
	mkdir "$dns/zones" "$dns/keys"
	for zone in $DIME_DOMAINS test; do
		(cd "$dns/keys" && ldns-keygen -a ED25519 -k -r /dev/urandom \
			"$zone" >"$zone.name")
		dns_zone "$zone" >"$dns/zones/$zone"
		dns_sign "$zone"
	done
	dns_zone gamma.test >"$dns/zones/gamma.test"
	grep DNSKEY "$dns/keys/$(cat "$dns/keys/test.name").key" \
		>"$dns/$DNS_ANCHOR"
	dns_configuration >"$dns/nsd.conf"
	chown -R "$UID_NSD:$GID_DIME" "$dns/run" "$dns/log"
}

dns_zone() {
	local domain
	cat <<-END
	\$ORIGIN $1.
	\$TTL 300
	@ SOA ns.test. hostmaster.$1. $(date +%s) 3600 900 604800 300
	@ NS ns.test.
	END
	if [ "$1" = test ]; then
		echo "ns A $DNS_ADDRESS"
		for domain in $ALL_DOMAINS; do
			echo "$domain. NS ns.test."
		done
		for domain in $DIME_DOMAINS; do
			grep DS "$WORLD/dns/keys/$(cat \
				"$WORLD/dns/keys/$domain.name").ds"
		done
		return
	fi
	echo "@ MX 10 mx"
	echo "mx A $(address_of "$1")"
	! is_dime "$1" || dimegate_record "$1"
}

dns_sign() {
	ldns-signzone -n -f "$WORLD/dns/zones/$1.signed" \
		"$WORLD/dns/zones/$1" \
		"$WORLD/dns/keys/$(cat "$WORLD/dns/keys/$1.name")"
}

dns_configuration() {
	local zone
	cat <<-END
	server:
		ip-address: $DNS_ADDRESS@$DNS_PORT
		username: ""
		server-count: 1
		database: ""
		zonesdir: "$WORLD/dns/zones"
		pidfile: "$WORLD/dns/run/nsd-self.pid"
		xfrdfile: "$WORLD/dns/run/xfrd.state"
		zonelistfile: "$WORLD/dns/run/zone.list"
		xfrdir: "$WORLD/dns/run"
		logfile: "$WORLD/dns/log/nsd.log"
		minimal-responses: yes
		rrl-ratelimit: 0
	remote-control:
		control-enable: no
	END
	for zone in $DIME_DOMAINS test; do
		printf 'zone:\n\tname: "%s"\n\tzonefile: "%s.signed"\n' \
			"$zone" "$zone"
	done
	printf 'zone:\n\tname: "gamma.test"\n\tzonefile: "gamma.test"\n'
}

dns_start() {
	process_start dns/nsd $UID_NSD $GID_DIME \
		nsd -d -c "$WORLD/dns/nsd.conf"
	process_ready 5 dns/nsd port_is_open $DNS_ADDRESS $DNS_PORT
}

dns_restart() {
	process_stop dns/nsd
	dns_start
}
