#!/usr/bin/env bash
# Everything that must hold before a change lands: format, lint, types, contracts, page helpers, the test suite.
# `make test` calls it once the environment stands. Arguments go to pytest: `tests/run.sh tests/bidding -x`.
set -euo pipefail
cd "$(dirname "$0")/.."
bin=.venv/bin

say() { printf '==> %s\n' "$*"; }

has_chromium() { command -v chromium || command -v chromium-browser || command -v google-chrome; } >/dev/null

install_chromium() {
    say "installing Debian's chromium for the browser tests (root only, once)"
    export DEBIAN_FRONTEND=noninteractive
    { apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium; } >/dev/null 2>&1
}

if ! has_chromium; then
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then install_chromium || true; fi
    has_chromium || say "no Chromium here: the browser tests are left out (as root on Debian: apt-get install chromium)"
fi

say "format";            $bin/ruff format --check --quiet . || { echo "run: make format"; exit 1; }
say "lint";              $bin/ruff check --quiet .
say "types";             $bin/mypy
say "import contracts";  $bin/lint-imports --no-logo

scripts=()
while IFS= read -r -d '' script; do scripts+=("$script"); done < <(find static tests -name '*.test.js' -print0)
if [ "${#scripts[@]}" = 0 ]; then :
elif command -v node >/dev/null; then say "page helpers"; node --test "${scripts[@]}"
else say "no node here: the tests of the page helpers are left out"
fi

say "tests"
exec $bin/python -m pytest -n "${PYTEST_WORKERS:-2}" --dist worksteal "$@"
