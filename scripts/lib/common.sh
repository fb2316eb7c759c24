# shellcheck shell=bash
# What every script shares: where things are, how to speak, how to get packages. No test knowledge.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
# Tools we fetch for ourselves live here and nowhere else on the machine.
# shellcheck disable=SC2034  # not every script needs one
cache="$root/.cache"

# rustup puts cargo here and tells only login shells.
if ! command -v cargo >/dev/null && [ -x "$HOME/.cargo/bin/cargo" ]; then
    PATH="$HOME/.cargo/bin:$PATH"
fi

say() { printf '%s\n' "$*"; }

die() {
    printf '%s: %s\n' "${0##*/}" "$*" >&2
    exit 1
}

need_cargo() {
    command -v cargo >/dev/null && return
    die "there is no cargo on the PATH. touban is built with Rust $(rust_version) or newer:" \
        "install it with rustup (https://rustup.rs) and start this again."
}

# The oldest compiler Cargo.toml promises to work with.
rust_version() { sed -n 's/^rust-version = "\(.*\)"/\1/p' "$root/Cargo.toml"; }

# Where cargo puts what it builds, whichever of its settings decided that.
target_dir() {
    cargo metadata --manifest-path "$root/Cargo.toml" --no-deps --format-version 1 --locked --offline |
        sed -n 's/.*"target_directory":"\([^"]*\)".*/\1/p'
}

# Root, or sudo that either asks nothing or has a terminal to ask at.
may_be_root() {
    [ "$(id -u)" -eq 0 ] || { command -v sudo >/dev/null && { sudo -n true 2>/dev/null || [ -t 0 ]; }; }
}

# as_root COMMAND...: directly, through sudo, or a sentence saying what to ask an administrator for.
as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif may_be_root; then
        sudo "$@"
    else
        die "needs administrator rights once; please let somebody run: $*"
    fi
}

package_installed() {
    [ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

# need_packages PACKAGE...: installs those that are missing. Nothing is touched when none is.
need_packages() {
    local missing=() package
    command -v dpkg-query >/dev/null ||
        die "this is neither Debian nor Ubuntu; please install what stands for: $*"
    for package in "$@"; do
        package_installed "$package" || missing+=("$package")
    done
    [ ${#missing[@]} -eq 0 ] && return
    may_be_root || die "please let an administrator run once: apt-get install ${missing[*]}"
    say "installing ${missing[*]}"
    # A fresh image has no package lists; an old list names files that are gone. One broken third-party source
    # must not stop us, so the update may fail and the install decides.
    as_root apt-get update -qq || say "the package lists could not all be refreshed; going on with what is there"
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
        -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 "${missing[@]}"
}

need_c_compiler() {
    command -v cc >/dev/null && return
    # SQLite and the TLS library are C; cargo calls `cc`.
    need_packages gcc libc6-dev
}
