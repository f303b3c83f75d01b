#!/usr/bin/env bash
# The fault campaign; arguments go to `python -m tests.campaign`. As root on Debian it fetches libfaketime by itself.
set -euo pipefail
cd "$(dirname "$0")/../.."

has_faketime() { compgen -G '/usr/lib/*/faketime/libfaketime.so.1' >/dev/null; }

if ! has_faketime && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "==> installing Debian's libfaketime for the stepped clocks (root only, once)"
    export DEBIAN_FRONTEND=noninteractive
    { apt-get update -qq && apt-get install -y -qq --no-install-recommends libfaketime; } >/dev/null 2>&1 || true
fi
exec .venv/bin/python -m tests.campaign "$@"
