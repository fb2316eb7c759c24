# shellcheck shell=bash
# A real Asterisk for the phone tests, without root and without installing it: fetched from Debian once, unpacked,
# run with the configuration of config/asterisk on loopback ports of its own. To be sourced by bash; it defines
#   asterisk_fetch               unpacks it into .cache/asterisk, unless it is there
#   asterisk_configure DIR       writes a configuration, DIR/start (runs it in the foreground) and DIR/asterisk.env
#   asterisk_start DIR           runs it in the background until asterisk_stop DIR
#   asterisk_stop DIR
#
# The line for our configuration is Asterisk 22, which is in Debian's unstable and testing only. The mirror is the one
# this machine takes its own packages from; TOUBAN_DEBIAN_MIRROR names another.

asterisk_home="$cache/asterisk"
asterisk_version_wanted=22

asterisk_fetch() {
    [ -f "$asterisk_home/complete" ] && return
    local mirror suite
    if ! { command -v apt-get && command -v dpkg-deb; } >/dev/null; then
        die "Asterisk is fetched with apt-get and dpkg-deb, which this machine does not have"
    fi
    [ -r /usr/share/keyrings/debian-archive-keyring.gpg ] || need_packages debian-archive-keyring
    mirror=$(_asterisk_mirror)
    for suite in sid forky; do
        say "fetching Asterisk from $suite"
        if _asterisk_unpack "$mirror" "$suite"; then
            touch "$asterisk_home/complete"
            return
        fi
        say "NOTE: Debian $suite gave no Asterisk $asterisk_version_wanted"
    done
    die "no Asterisk $asterisk_version_wanted could be fetched; TOUBAN_DEBIAN_MIRROR=URL names another mirror of Debian"
}

# The mirror of this machine's own release, read by apt itself, so that one-line and deb822 sources are the same to us.
# A machine that is no Debian has none; then Debian's own name for the nearest.
_asterisk_mirror() {
    if [ -n "${TOUBAN_DEBIAN_MIRROR:-}" ]; then
        say "$TOUBAN_DEBIAN_MIRROR"
        return
    fi
    local release="" id=""
    if [ -r /etc/os-release ]; then
        release=$(sed -n 's/^VERSION_CODENAME="\{0,1\}\([^"]*\)"\{0,1\}$/\1/p' /etc/os-release)
        id=$(sed -n 's/^ID="\{0,1\}\([^"]*\)"\{0,1\}$/\1/p' /etc/os-release)
    fi
    local found=""
    if [ "$id" = debian ]; then
        # shellcheck disable=SC2016  # apt's own variables
        found=$(apt-get indextargets --format '$(RELEASE) $(COMPONENT) $(REPO_URI)' 'Created-By: Packages' 2>/dev/null |
            awk -v release="$release" '$2 == "main" && ($1 == release || $1 ~ /^(stable|oldstable|testing|unstable|sid)$/) { print $3; exit }') ||
            found=""
    fi
    say "${found:-http://deb.debian.org/debian}"
}

# _asterisk_unpack MIRROR SUITE: an apt of its own, that believes nothing is installed, brings asterisk and all it
# stands on; the packages are only unpacked, so nothing of this machine is used or changed.
_asterisk_unpack() (
    # The caller looks at the outcome, so errors have to be seen one by one.
    nest=$(mktemp -d "${TMPDIR:-/tmp}/touban-apt.XXXXXX")
    trap 'rm -rf "$nest"' EXIT
    mkdir -p "$nest"/etc/apt/{apt.conf.d,preferences.d,trusted.gpg.d,sources.list.d} "$nest"/var/lib/apt/lists/partial \
        "$nest"/var/cache/apt/archives/partial "$nest"/var/lib/dpkg
    : >"$nest/var/lib/dpkg/status"
    say "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $1 $2 main" >"$nest/etc/apt/sources.list"
    {
        # Proxies and certificates as this machine uses them.
        apt-config dump | grep -E '^Acquire::(http|https|Retries)' || true
        cat <<-CONF
			Dir "$nest";
			Dir::State::status "$nest/var/lib/dpkg/status";
			Dir::Etc::netrc "/etc/apt/auth.conf";
			Dir::Etc::netrcparts "/etc/apt/auth.conf.d";
			APT::Sandbox::User "$(id -un)";
			APT::Install-Recommends "false";
			Debug::NoLocking "true";
			// A mirror may be behind; who signed it is checked all the same.
			Acquire::Check-Valid-Until "false";
			Acquire::Retries "3";
			Acquire::Languages "none";
		CONF
    } >"$nest/apt.conf"
    export APT_CONFIG="$nest/apt.conf"
    apt-get -qq update || exit 1
    apt-get -qq -y --download-only install asterisk || exit 1
    rm -rf "$asterisk_home.new"
    mkdir -p "$asterisk_home.new"
    for package in "$nest"/var/cache/apt/archives/*.deb; do
        dpkg-deb --fsys-tarfile "$package" | tar -C "$asterisk_home.new" -x --keep-directory-symlink --no-same-owner -f - || exit 1
    done
    rm -rf "$asterisk_home" || exit 1
    mv "$asterisk_home.new" "$asterisk_home" || exit 1
    version=$(_asterisk_run -V) || exit 1
    say "$version"
    case $version in "Asterisk $asterisk_version_wanted."*) ;; *) exit 1 ;; esac
)

_asterisk_library_dirs() {
    local dir dirs=""
    for dir in "$asterisk_home"/usr/lib/*-linux-gnu* "$asterisk_home"/lib/*-linux-gnu* "$asterisk_home/usr/lib"; do
        [ -d "$dir" ] && dirs="$dirs${dirs:+:}$dir"
    done
    say "$dirs"
}

# With the loader and the libraries it was unpacked with: those of this machine may be older.
_asterisk_command() {
    local loader
    loader=$(find "$asterisk_home"/usr/lib/*-linux-gnu* "$asterisk_home"/lib/*-linux-gnu* -maxdepth 1 \
        -name 'ld-linux*.so.*' 2>/dev/null | head -n 1 || true)
    [ -n "$loader" ] || die "the unpacked Asterisk has no loader"
    printf '%q --library-path %q %q' "$loader" "$(_asterisk_library_dirs)" "$asterisk_home/usr/sbin/asterisk"
}

_asterisk_run() { eval "$(_asterisk_command)" '"$@"'; }

# _asterisk_line FILE OLD NEW: puts one line of the sample into another. Fails where the sample has no such line, or
# several: what is tested has to be what is offered.
_asterisk_line() {
    python3 - "$@" <<-'PY'
		import sys
		path, old, new = sys.argv[1:]
		lines = open(path, encoding="utf-8").read().split("\n")
		found = [i for i, line in enumerate(lines) if line == old]
		if len(found) != 1:
		    sys.exit(f"{path} has the line {old!r} {len(found)} times")
		lines[found[0]] = new
		open(path, "w", encoding="utf-8").write("\n".join(lines))
	PY
}

# asterisk_configure DIR [PROMPTS]
asterisk_configure() {
    local dir prompts=${2:-} modules http sip carrier rtp password name
    mkdir -p "$1"
    dir=$(cd "$1" && pwd -P)
    modules=$(dirname "$(find "$asterisk_home/usr/lib" -path '*/asterisk/modules/res_ari.so' | head -n 1)")
    mkdir -p "$dir"/{etc,var,data/sounds,spool/recording,spool/tmp,run,log,keys,agi,messages}
    for name in documentation rest-api static-http phoneprov firmware; do
        ln -sfn "$asterisk_home/usr/share/asterisk/$name" "$dir/data/$name"
    done
    [ -z "$prompts" ] || cp -R "$prompts"/. "$dir/data/sounds/"
    cp "$root"/config/asterisk/*.conf "$dir/etc/"
    # Modules look for a file of their own and complain where there is none; a package brings them.
    for name in features musiconhold acl udptl ccss geolocation pjproject websocket_client; do : >"$dir/etc/$name.conf"; done
    http=$(free_port) sip=$(_asterisk_free_udp) carrier=$(_asterisk_free_udp)
    # Below the ports the system gives away by itself; Asterisk passes over those in use.
    rtp=$((16384 + (RANDOM % 140) * 100))
    password=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
    _asterisk_line "$dir/etc/http.conf" "bindport = 8088" "bindport = $http"
    _asterisk_line "$dir/etc/ari.conf" "password = CHANGE-ME" "password = $password"
    _asterisk_line "$dir/etc/pjsip.conf" "bind = 0.0.0.0:5060" "bind = 127.0.0.1:$sip"
    _asterisk_line "$dir/etc/pjsip.conf" "contact = sip:trunk.example.jp:5060" "contact = sip:127.0.0.1:$carrier"
    _asterisk_line "$dir/etc/pjsip.conf" "match = trunk.example.jp" "match = 127.0.0.1"
    _asterisk_line "$dir/etc/rtp.conf" "rtpstart = 10000" "rtpstart = $rtp"
    _asterisk_line "$dir/etc/rtp.conf" "rtpend = 10999" "rtpend = $((rtp + 1998))"
    _asterisk_line "$dir/etc/extensions.conf" "#tryinclude /var/lib/touban/asterisk/fallback.conf" \
        "#tryinclude $dir/fallback.conf"
    cat >"$dir/etc/asterisk.conf" <<-CONF
		[directories]
		astetcdir => $dir/etc
		astmoddir => $modules
		astvarlibdir => $dir/var
		astdbdir => $dir/var
		astkeydir => $dir/keys
		astdatadir => $dir/data
		astagidir => $dir/agi
		astspooldir => $dir/spool
		astrundir => $dir/run
		astlogdir => $dir/log
		astsbindir => $asterisk_home/usr/sbin
		[options]
		documentation_language = en_US
		nocolor = yes
	CONF
    cat >"$dir/start" <<-RUN
		#!/usr/bin/env bash
		# Runs this Asterisk in the foreground.
		exec $(_asterisk_command) -C "$dir/etc/asterisk.conf" -f -vvv </dev/null >>"$dir/log/stdout" 2>&1
	RUN
    chmod 700 "$dir/start"
    (
        umask 077
        {
            printf 'export TOUBAN_TEST_ASTERISK=%q\n' "$dir"
            printf 'export TOUBAN_TEST_ASTERISK_ARI=%q\n' "http://127.0.0.1:$http/ari"
            printf 'export TOUBAN_TEST_ASTERISK_PASSWORD=%q\n' "$password"
            printf 'export TOUBAN_TEST_ASTERISK_SIP=%q\n' "127.0.0.1:$sip"
            printf 'export TOUBAN_TEST_CARRIER_PORT=%q\n' "$carrier"
        } >"$dir/asterisk.env"
    )
}

_asterisk_free_udp() {
    python3 -c 'import socket; s = socket.socket(type=socket.SOCK_DGRAM); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# asterisk_start DIR: returns when ARI answers.
asterisk_start() {
    local dir=$1 pid
    # shellcheck disable=SC1091
    . "$dir/asterisk.env"
    setsid "$dir/start" &
    pid=$!
    say "$pid" >"$dir/pid"
    for _ in {1..300}; do
        if python3 - "$TOUBAN_TEST_ASTERISK_ARI/asterisk/info?only=system" "$TOUBAN_TEST_ASTERISK_PASSWORD" <<-'PY' 2>/dev/null; then
			import base64, sys, urllib.request
			request = urllib.request.Request(sys.argv[1])
			request.add_header("Authorization", "Basic " + base64.b64encode(f"touban:{sys.argv[2]}".encode()).decode())
			opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
			opener.open(request, timeout=2).read()
		PY
            return
        fi
        kill -0 "$pid" 2>/dev/null || break
        sleep 0.1
    done
    say "Asterisk does not answer:"
    tail -n 40 "$dir/log/stdout" "$dir/log/messages" 2>/dev/null || true
    return 1
}

asterisk_stop() {
    local pid file
    # A test may have started it anew.
    for file in "$1/pid" "$1/run/asterisk.pid"; do
        [ -f "$file" ] || continue
        pid=$(tr -dc '0-9' <"$file")
        if [ -z "$pid" ] || ! grep -qF -- "$1/etc/asterisk.conf" "/proc/$pid/cmdline" 2>/dev/null; then continue; fi
        kill -TERM "$pid" 2>/dev/null || true
        for _ in {1..50}; do
            kill -0 "$pid" 2>/dev/null || break
            sleep 0.1
        done
        kill -KILL "$pid" 2>/dev/null || true
    done
    return 0
}
