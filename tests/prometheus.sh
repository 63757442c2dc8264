#!/bin/sh
# Sees to Prometheus and promtool, which the tests of the metrics and the alerts run. Where there is none: root gets
# Debian's package; anybody else is told what to install, and those tests are skipped; with CI=true nothing is skipped.
set -eu

if command -v prometheus >/dev/null && command -v promtool >/dev/null; then
    exit 0
fi
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "installing prometheus for the tests of the metrics"
    export DEBIAN_FRONTEND=noninteractive
    # The package must not start a server of its own; the tests start private ones.
    policy=/usr/sbin/policy-rc.d
    if [ ! -e "$policy" ]; then
        printf '#!/bin/sh\nexit 101\n' >"$policy" && chmod +x "$policy"
        trap 'rm -f "$policy"' EXIT
    fi
    if { apt-get update -qq && apt-get install -qq -y --no-install-recommends prometheus; } >/dev/null 2>&1; then
        exit 0
    fi
    echo "prometheus could not be installed by apt-get"
fi
if [ "${CI:-}" = true ]; then
    echo "the tests of the metrics need prometheus and promtool, and CI=true skips nothing: install prometheus"
    exit 1
fi
echo "SKIPPED: the tests that need Prometheus, for there is none; install the package prometheus to run them"
