#!/bin/sh
# Draws Grafana's password for the user admin once, into the volume that Grafana reads it from. What is there stays.
# Grafana runs as a user of its own, so the file is readable within the volume; on the host it is root's.
set -eu

folder=/run/secrets/grafana
[ -s "$folder/admin_password" ] && exit 0

umask 022
python -c 'import secrets; print(secrets.token_hex(24))' >"$folder/admin_password.new"
mv "$folder/admin_password.new" "$folder/admin_password"
echo "Grafana's password is drawn"
