#!/bin/sh
# Makes ClearSplit's two roles when the database is made: one owns the tables, one serves requests.
# Postgres's image runs this once, on an empty data folder. Elsewhere, as the server's superuser:
#   MIGRATOR_PASSWORD=… APP_PASSWORD=… PGHOST=… PGUSER=postgres PGDATABASE=clearsplit sh roles.sh
set -eu

MIGRATOR_PASSWORD=${MIGRATOR_PASSWORD:-$(cat /run/secrets/migrator_password)}
APP_PASSWORD=${APP_PASSWORD:-$(cat /run/secrets/app_password)}
export MIGRATOR_PASSWORD APP_PASSWORD

"${PSQL:-psql}" --quiet --no-psqlrc --set ON_ERROR_STOP=1 \
  --username "${PGUSER:-${POSTGRES_USER:-postgres}}" \
  --dbname "${PGDATABASE:-${POSTGRES_DB:-clearsplit}}" <<'SQL'
\set migrator_password `printf %s "$MIGRATOR_PASSWORD"`
\set app_password      `printf %s "$APP_PASSWORD"`
create role clearsplit_migrator login password :'migrator_password';
create role clearsplit_app      login password :'app_password' connection limit 100;

select format('alter database %I owner to clearsplit_migrator', current_database())
\gexec
alter schema public owner to clearsplit_migrator;
revoke create on schema public from public;
SQL
