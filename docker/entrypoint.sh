#!/bin/sh
# The container's process 1 until the daemon is: looks before it leaps, brings the tables up to date, becomes the daemon.
# What stands in the way is said, and ends with exit code 78; nothing is started in spite of it.
set -eu

refuse() {
    echo "kangbot does not start: $1" >&2
    exit 78
}

case "${1:-run}" in
run)
    kangbot check --startup || refuse "the look before the start found what stands above"
    kangbot db upgrade || refuse "the database's tables could not be brought up to date"
    exec kangbot run
    ;;
*)
    exec kangbot "$@"
    ;;
esac
