# shellcheck shell=bash
# The stages that need servers or a browser: integration tests, simulation, journeys.

# How many random worlds the simulation lives through. A nightly run sets more.
seeds=${TOUBAN_TEST_SEEDS:-50}

# Everything apt has to bring, in one stage: two installations at once would wait for each other's lock.
stage_install() {
    postgres_install
    postfix_install
    browser_install
    node_install
    need_packages espeak-ng sox
    # The journeys run on this Node and this browser.
    cat >"$work/env/install" <<-ENV
		export PATH='$(node_path)':"\$PATH"
		export TOUBAN_CHROME='$(browser_path)'
	ENV
}

needs_postgresql() { say install; }
stage_postgresql() {
    postgres_start "$work/postgres"
    cp "$work/postgres/postgres.env" "$work/env/postgresql"
}

needs_postfix() { say install; }
stage_postfix() {
    local dir="$work/postfix"
    mkdir -p "$dir"
    postfix_start "$dir" "$(free_port)"
    # The file need not say `export`; what it sets must reach the tests all the same.
    { say 'set -a'; cat "$dir/smtp.env"; say 'set +a'; } >"$work/env/postfix"
}

# A real Asterisk with our configuration and our prompts. It is fetched, not installed; nothing else can stand for it.
needs_asterisk() { say install; }
stage_asterisk() {
    asterisk_fetch
    "$root/scripts/prompts" "$work/prompts"
    asterisk_configure "$work/asterisk" "$work/prompts"
    asterisk_start "$work/asterisk"
    cp "$work/asterisk/asterisk.env" "$work/env/asterisk"
}

# Real calls, real sound. Ignored without an Asterisk, so that `cargo test` runs everywhere; never ignored here. Figures
# are scripts/bench-phone's.
needs_phone() { say asterisk; }
stage_phone() {
    cd "$root"
    cargo test --locked --test it phone:: -- --ignored --skip phone::figures
}

# Called once at the end, also after Ctrl-C, also when a server never started.
services_stop() {
    postgres_stop "$work/postgres" || say "PostgreSQL in $work/postgres would not stop"
    [ ! -d "$work/asterisk" ] || asterisk_stop "$work/asterisk"
    if [ -d "$work/postfix" ]; then
        postfix_stop "$work/postfix" || say "Postfix in $work/postfix would not stop"
        # Its queue belongs to root and postfix, whoever we are.
        [ -w "$work/postfix/queue" ] || as_root rm -rf "$work/postfix"
    fi
}

# All that cargo builds for the tests, once; the stages after it only run.
stage_build() {
    cd "$root"
    cargo build --locked
    cargo test --locked --no-run
    say "export TOUBAN_BIN='$(target_dir)/debug/touban'" >"$work/env/build"
}

# Other people's programs that read our calendars and workbooks, and the sample sheets that offices could have sent.
icalendar_version=7.3.2
openpyxl_version=3.1.5

needs_readers() { say install; }
stage_readers() {
    need_packages libreoffice-calc-nogui
    venv_install icalendar "$icalendar_version"
    venv_install openpyxl "$openpyxl_version"
    cd "$root/tests/readers"
    if ! cmp -s package-lock.json node_modules/.installed-from; then
        npm ci --ignore-scripts --no-audit --no-fund
        cp package-lock.json node_modules/.installed-from
    fi
    "$cache/venv/bin/python" "$root/scripts/lib/rota_sheets.py" --check "$root/tests/it/data"
    say "export TOUBAN_READERS_PYTHON='$cache/venv/bin/python'" >"$work/env/readers"
}

needs_it() { say postgresql postfix readers; }
stage_it() {
    cd "$root"
    cargo test --locked --test it
}

stage_doc() {
    cd "$root"
    cargo test --locked --doc
}

needs_simulate() { say build; }
stage_simulate() {
    cd "$root"
    "$TOUBAN_BIN" simulate --seeds "$seeds"
}

# The test of the tests: every planted mistake must be found, those of the machine by its random histories, the others
# by the simulation. After the journeys, because it builds another program in the same place.
needs_planted() { say build; }
stage_planted() {
    cd "$root"
    cargo test --locked --lib --features planted every_mistake -- --ignored --test-threads=1
    cargo run --locked --features planted -- simulate --planted
}

# The measuring tools measure: each rule is shown a page that breaks it.
needs_harness() { say install; }
stage_harness() {
    local library
    e2e_install
    # For the journey that must happen on a Friday at four.
    need_packages libfaketime
    library=$(dpkg -L libfaketime | grep '/libfaketime\.so\.1$')
    say "export TOUBAN_TEST_FAKETIME='$library'" >"$work/env/harness"
    node "$root/tests/e2e/selftest.mjs"
}

# Every sample of every page, in both languages and at three widths. The library's tests draw them.
needs_pages() { say harness build; }
stage_pages() {
    cd "$root"
    cargo test --locked --lib every_sample
    node "$root/tests/e2e/pages.mjs"
}

# The first journey with its robot and its canaries, an office from its empty database to its first consult, how the
# office signs in, duties that change hands, then the exercise that newcomers meet.
needs_e2e_sqlite() { say harness build postfix; }
stage_e2e_sqlite() {
    journeys sqlite journey people signin swaps demo calls cover transfers rota ledger
}

# journeys DATABASE NAME...: all of them, whatever happens to one.
journeys() {
    local name status=0
    for name in "${@:2}"; do
        TOUBAN_E2E_DATABASE=$1 node "$root/tests/e2e/$name.mjs" || status=$?
    done
    return "$status"
}

needs_e2e_postgres() { say harness build postfix postgresql; }
stage_e2e_postgres() {
    journeys postgres journey swaps
}
