#!/bin/sh
# What a container starts: looks before it leaps, brings the tables up to date, becomes the daemon. The options of `run`
# are for all three. What stands in the way is said, and ends with exit code 78; nothing is started in spite of it.
set -eu

refuse() {
    echo "kangbot does not start: $1" >&2
    exit 78
}

case "${1:-run}" in
run)
    [ $# -eq 0 ] || shift
    # Standard output is the daemon's: with --json there is one object on it.
    kangbot check --startup "$@" >&2 || refuse "the look before the start found what stands above"
    kangbot db upgrade --startup "$@" >&2 || refuse "the database's tables could not be brought up to date"
    exec kangbot run "$@"
    ;;
*)
    exec kangbot "$@"
    ;;
esac
