# shellcheck shell=bash
# A PostgreSQL server of our own for the tests: on a free loopback port, in a temporary directory, gone afterwards.

postgres_install() {
    postgres_bin >/dev/null && return
    # The Debian package would create and start a cluster of the machine; nobody asked for one. The setting is
    # for this one installation, so that a later one by an administrator behaves as documented.
    may_be_root || die "please let an administrator run once: apt-get install postgresql"
    local setting=/etc/postgresql-common/createcluster.d/touban-tests.conf
    as_root mkdir -p "${setting%/*}"
    say 'create_main_cluster = false' | as_root tee "$setting" >/dev/null
    local status=0
    need_packages postgresql || status=$?
    as_root rm -f "$setting"
    [ "$status" -eq 0 ] && postgres_bin >/dev/null
}

# The directory of initdb and pg_ctl, newest version first. Debian keeps them off the PATH.
postgres_bin() {
    local newest
    newest=$(printf '%s\n' /usr/lib/postgresql/*/bin/initdb | sort -V | tail -n 1)
    if [ -x "$newest" ]; then
        dirname "$newest"
    elif command -v initdb >/dev/null; then
        dirname "$(command -v initdb)"
    else
        return 1
    fi
}

# PostgreSQL refuses to run as root, so root lends it the user that its package made.
as_postgres() {
    if [ "$(id -u)" -eq 0 ]; then
        runuser -u postgres -- "$@"
    else
        "$@"
    fi
}

# postgres_start DIR writes DIR/postgres.env with TOUBAN_TEST_POSTGRES_URL: a superuser, who makes the databases.
postgres_start() {
    local dir=$1 bin port password
    bin=$(postgres_bin)
    mkdir -p "$dir"
    password=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
    (umask 077 && printf '%s\n' "$password" >"$dir/password")
    [ "$(id -u)" -eq 0 ] && chown -R postgres "$dir"
    as_postgres test -w "$dir" || die "the user postgres cannot reach $dir; set TMPDIR to a directory open to all"
    # Every other user of this machine can reach a loopback port, hence the password.
    as_postgres "$bin/initdb" -D "$dir/data" -U touban --pwfile="$dir/password" \
        --auth=scram-sha-256 --encoding=UTF8 --locale=C.UTF-8 --no-sync >"$dir/initdb.log"
    cat >"$dir/settings" <<-'SETTINGS'
		listen_addresses = '127.0.0.1'
		unix_socket_directories = ''
		max_connections = 200
		# Nothing in here has to survive a power cut, and a test must not wait for a disk.
		# What happens when the server dies is tested by stopping it, which these settings do not soften.
		fsync = off
		synchronous_commit = off
		full_page_writes = off
		# Not UTC and not ours: a query that leans on the server's zone is wrong and shall be seen.
		timezone = 'Asia/Kathmandu'
		log_min_duration_statement = 1000
		log_lock_waits = on
	SETTINGS
    as_postgres tee -a "$dir/data/postgresql.conf" <"$dir/settings" >/dev/null
    # Between finding a free port and opening it another program may take it: then another one.
    local attempt
    for attempt in 1 2 3; do
        port=$(free_port)
        as_postgres "$bin/pg_ctl" -D "$dir/data" -l "$dir/data/server.log" -o "-p $port" -w -t 60 start >/dev/null && break
        [ "$attempt" -lt 3 ] || { cat "$dir/data/server.log"; return 1; }
    done
    cat >"$dir/postgres.env" <<-ENV
		export TOUBAN_TEST_POSTGRES_URL='postgres://touban:$password@127.0.0.1:$port/postgres'
		export TOUBAN_TEST_POSTGRES_NOTE='fsync, synchronous_commit and full_page_writes are off: no figure taken here speaks of disks'
	ENV
}

# Immediately: the data is thrown away, and a test that died may have left connections open.
postgres_stop() {
    [ -f "$1/data/postmaster.pid" ] || return 0
    as_postgres "$(postgres_bin)/pg_ctl" -D "$1/data" -m immediate -w -t 20 stop >/dev/null
}

free_port() {
    python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}
