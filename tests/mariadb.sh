#!/bin/sh
# Sees to the MariaDB server that the history's tests run on. Where there is none: root gets Debian's package; anybody
# else is told what to install, and those tests are skipped; with CI=true nothing is skipped, so this fails instead.
set -eu
PATH="$PATH:/usr/sbin:/usr/local/sbin"

if command -v mariadbd >/dev/null || command -v mysqld >/dev/null; then
    exit 0
fi
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "installing mariadb-server for the history's tests"
    export DEBIAN_FRONTEND=noninteractive
    # The package must not start a server of its own; the tests start private ones.
    policy=/usr/sbin/policy-rc.d
    if [ ! -e "$policy" ]; then
        printf '#!/bin/sh\nexit 101\n' >"$policy" && chmod +x "$policy"
        trap 'rm -f "$policy"' EXIT
    fi
    if { apt-get update -qq && apt-get install -qq -y --no-install-recommends mariadb-server; } >/dev/null 2>&1; then
        exit 0
    fi
    echo "mariadb-server could not be installed by apt-get"
fi
if [ "${CI:-}" = true ]; then
    echo "the history's tests need a mariadbd binary, and CI=true skips nothing: install mariadb-server"
    exit 1
fi
echo "SKIPPED: the tests on MariaDB, for there is no mariadbd binary; install the package mariadb-server to run them"
