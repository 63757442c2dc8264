#!/bin/sh
# Sees to the browser that the dashboard's tests drive. Where there is none: root gets Debian's package; anybody else is
# told what to install, and those tests are skipped; with CI=true nothing is skipped, so this fails instead. Debian has a
# Chromium that never had a window, which costs less to install and to run. Ubuntu has it not, and its package `chromium`
# installs without a fault and holds no browser, only a pointer to its snap.
set -eu

there_is_one() {
    command -v chromium-headless-shell >/dev/null || command -v chromium >/dev/null || command -v google-chrome >/dev/null
}
install() { apt-get install -qq -y --no-install-recommends "$1" >/dev/null 2>&1 && there_is_one; }

if there_is_one; then
    exit 0
fi
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "installing chromium for the dashboard's tests"
    export DEBIAN_FRONTEND=noninteractive
    if apt-get update -qq >/dev/null 2>&1 && { install chromium-headless-shell || install chromium; }; then
        exit 0
    fi
    echo "apt-get has no chromium here"
fi
how="install the package chromium (on Ubuntu: snap install chromium) or Google Chrome"
if [ "${CI:-}" = true ]; then
    echo "the dashboard's tests need a chromium, and CI=true skips nothing: $how"
    exit 1
fi
echo "SKIPPED: the tests of the dashboard, for there is no chromium; $how to run them"
