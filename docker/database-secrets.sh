#!/bin/sh
# Draws the database's passwords once, into the volume that MariaDB and the daemon read them from. What is there stays.
# Both run as users of their own, so the files are readable within the volume; on the host it is root's.
set -eu

folder=/run/secrets/database
[ -s "$folder/url" ] && exit 0

draw() { python -c 'import secrets; print(secrets.token_hex(24))'; }

password=$(draw)
umask 022
draw >"$folder/root_password"
printf '%s\n' "$password" >"$folder/password"
# The two containers' own network never leaves the machine: in plain text, and that is meant.
printf 'mysql://kangbot:%s@mariadb:3306/kangbot?ssl-mode=DISABLED\n' "$password" >"$folder/url.new"
mv "$folder/url.new" "$folder/url" # the last one: where it is, all are
echo "the database's passwords are drawn"
