#!/bin/sh
# Sees to the browser that the dashboard's tests drive. Where there is none: root gets Debian's package; anybody else is
# told what to install, and those tests are skipped; with CI=true nothing is skipped, so this fails instead.
set -eu

if command -v chromium >/dev/null || command -v google-chrome >/dev/null; then
    exit 0
fi
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "installing chromium for the dashboard's tests"
    export DEBIAN_FRONTEND=noninteractive
    if { apt-get update -qq && apt-get install -qq -y --no-install-recommends chromium; } >/dev/null 2>&1; then
        exit 0
    fi
    echo "chromium could not be installed by apt-get"
fi
if [ "${CI:-}" = true ]; then
    echo "the dashboard's tests need a chromium, and CI=true skips nothing: install chromium"
    exit 1
fi
echo "SKIPPED: the tests of the dashboard, for there is no chromium; install the package chromium to run them"
