# shellcheck shell=bash
# Runs stages, times them, keeps their logs, prints the table. What a stage does is in checks.sh and tests.sh.
#
# A stage NAME is a function `stage_NAME`. It runs in a process group of its own with no input and its output in
# a log; exit status 0 is passed, 77 is "could not be done here" (said in the table, not a failure), anything
# else failed. A line `NOTE: …` in the log goes into the table.
# What a stage must hand on (an address, a path) it writes as `export …` lines into "$work/env/NAME".

work=""              # temporary directory of this run, removed at the end
logs=""              # logs outlive the run: one file per stage
names=() results=() seconds=() passes=() failures=() notes=()
running=()           # process groups of the stages under way
begun=0              # second at which the run began

stages_begin() {
    work=$(mktemp -d "${TMPDIR:-/tmp}/touban-test.XXXXXX")
    # The database server runs as another user and must be able to walk through.
    chmod 711 "$work"
    mkdir "$work/env"
    logs="$(target_dir)/test-logs"
    mkdir -p "$logs"
    begun=$SECONDS
    trap stages_cleanup EXIT
    trap 'exit 129' HUP
    trap 'exit 130' INT
    trap 'exit 143' TERM
    # Logs are read as files; colours and moving bars only get in the way.
    export CARGO_TERM_COLOR=never CARGO_TERM_PROGRESS_WHEN=never NO_COLOR=1
    # A panic names its line; the frames below it bury what the other tests said.
    export RUST_BACKTRACE=0
}

# Stops what is still under way, then the servers (services_stop, if there are any), then removes the directory.
stages_cleanup() {
    local status=$? group
    # Cleaning up goes on whatever fails; a group that has already gone must not end it.
    set +e
    trap '' HUP INT TERM
    trap - EXIT
    for group in "${running[@]}"; do kill -TERM -- "-$group" 2>/dev/null; done
    for group in "${running[@]}"; do
        for _ in {1..50}; do
            kill -0 -- "-$group" 2>/dev/null || continue 2
            sleep 0.1
        done
        kill -KILL -- "-$group" 2>/dev/null
    done
    [ "$(type -t services_stop)" = function ] && services_stop
    [ -n "$work" ] && rm -rf "$work"
    exit "$status"
}

# The later stages see what the earlier ones handed on.
take_env() {
    local file
    for file in "$work"/env/*; do
        # shellcheck disable=SC1090
        [ -f "$file" ] && . "$file"
    done
    return 0
}

result_of() {
    local i
    for i in "${!names[@]}"; do
        [ "${names[$i]}" = "$1" ] && { say "${results[$i]}"; return; }
    done
    say absent
}

# Single tests, where the stage counts its own (cargo test, tests/e2e); otherwise the stage is the one check.
count_in() {
    awk '
        # The test harness of Rust, one line per binary.
        /^test result: / { for (i = 2; i <= NF; i++) { if ($i ~ /^passed/) p += $(i-1); if ($i ~ /^failed/) f += $(i-1) } seen = 1 }
        /^[0-9]+ passed, [0-9]+ failed$/ { p += $1; f += $3; seen = 1 }
        END { if (seen) print p + 0, f + 0; else print "- -" }
    ' "$1"
}

record() {
    local name=$1 status=$2 took=$3 log="$logs/$1.log" p f result
    read -r p f < <(count_in "$log")
    case $status in
    0) result=passed; [ "$p" = - ] && { p=1 f=0; } ;;
    77) result=skipped p=0 f=0 ;;
    *) result=failed; [ "$p" = - ] && { p=0 f=0; } ;;
    esac
    # A crash, or a compiler error, is a failure that no harness has counted.
    [ "$result" = failed ] && [ "$f" -eq 0 ] && f=1
    # And a harness that counts failures but exits with 0 is not believed.
    [ "$f" -gt 0 ] && result=failed
    names+=("$name") results+=("$result") seconds+=("$took") passes+=("$p") failures+=("$f")
    notes+=("$(sed -n 's/^NOTE: //p' "$log" | tail -n 1)")
    printf '%-10s %-14s %5s s   %s\n' "$result" "$name" "$took" "${notes[-1]}"
    if [ "$result" = failed ]; then
        say "---- $name: last lines of $log"
        tail -n "${TOUBAN_TEST_LOG_LINES:-300}" "$log"
        say "---- end of $name"
    fi
}

# needs_NAME, if it exists, names the stages without which this one says nothing.
unmet() {
    local need state
    [ "$(type -t "needs_$1")" = function ] || return 1
    for need in $("needs_$1"); do
        state=$(result_of "$need")
        [ "$state" = passed ] || { say "needs $need, which is $state"; return 0; }
    done
    return 1
}

# run_together STAGE...: starts them all, waits for all.
run_together() {
    local name reason status pids=() started=() from=() i ended
    take_env
    for name in "$@"; do
        : >"$logs/$name.log"
        if reason=$(unmet "$name"); then
            say "NOTE: $reason" >"$logs/$name.log"
            record "$name" 1 0
            continue
        fi
        say "running    $name"
        # Monitor mode gives each stage its own process group: Ctrl-C reaches us alone, and we stop the group.
        set -m
        (
            trap - HUP INT TERM
            # Of stages run together each knows best itself when it was through.
            trap 'printf "%s\n" "$SECONDS" >"$work/ended.$name"' EXIT
            set -euo pipefail
            "stage_$name"
        ) >"$logs/$name.log" 2>&1 </dev/null &
        set +m
        pids+=("$!") started+=("$name") from+=("$SECONDS")
        running+=("$!")
    done
    for i in "${!pids[@]}"; do
        status=0
        wait "${pids[$i]}" || status=$?
        ended=$(cat "$work/ended.${started[$i]}" 2>/dev/null) || ended=$SECONDS
        record "${started[$i]}" "$status" $((ended - from[i]))
    done
    running=()
}

# What failed in a log, each with the lines that say why: of Rust's tests, of the browser's, of a compiler.
failures_in() {
    awk '
        /^FAILED  |panicked at |^error(\[E[0-9]+\])?: |^NOTE: / { left = 8 }
        /^(ok      |passed|running)/ { left = 0 }
        left > 0 && shown < 60 { print "    " $0; left--; shown++ }
    ' "$1"
}

# The table, what failed, and the last line. Returns 1 if anything failed.
stages_end() {
    local i p=0 f=0 skipped=0
    say
    printf '%-14s %-8s %8s %8s %8s   %s\n' stage result passed failed seconds note
    for i in "${!names[@]}"; do
        printf '%-14s %-8s %8s %8s %8s   %s\n' \
            "${names[$i]}" "${results[$i]}" "${passes[$i]}" "${failures[$i]}" "${seconds[$i]}" "${notes[$i]}"
        p=$((p + passes[i])) f=$((f + failures[i]))
        [ "${results[$i]}" = skipped ] && skipped=$((skipped + 1))
    done
    for i in "${!names[@]}"; do
        [ "${results[$i]}" = failed ] || continue
        say
        say "${names[$i]}:"
        failures_in "$logs/${names[$i]}.log"
    done
    say
    say "logs: $logs   took $((SECONDS - begun)) s   stages that could not be done here: $skipped"
    say "$p passed, $f failed"
    [ "$f" -eq 0 ]
}
