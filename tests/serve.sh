#!/bin/sh
# `make serve` answers, keeps what it was told over a restart, and leaves no process behind.
set -eu

folder=$(mktemp -d)
port=$("$BIN/python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
server=
trap 'kill -TERM "-$server" 2>/dev/null || true; rm -rf "$folder"' EXIT

# Starts the server in a process group of its own, as a terminal does, and waits until it is ready.
start() {
  setsid make --no-print-directory serve PORT="$port" DATA_DIR="$folder/data" >"$folder/$1.log" 2>&1 &
  server=$!
  "$BIN/python" - "$port" <<'PYTHON' || { cat "$folder/$1.log" >&2; exit 1; }
import sys, time, urllib.request

url, began = f"http://127.0.0.1:{sys.argv[1]}/health/ready", time.monotonic()
while True:
    try:
        urllib.request.urlopen(url, timeout=5).close()
        break
    except OSError:
        if time.monotonic() - began > 60:
            sys.exit(f"{url} does not answer")
        time.sleep(0.05)
print(f"ready after {time.monotonic() - began:.1f} s")
PYTHON
}

# Ctrl-C: the terminal signals the whole group.
stop() {
  kill -INT "-$server"
  wait "$server" || true
  if pgrep -a -f "$folder"; then
    echo "these processes were left behind" >&2
    exit 1
  fi
}

secret='"email": "ana@example.org", "password": "correct horse battery staple"'
post() {
  "$BIN/python" -c '
import sys, urllib.request
request = urllib.request.Request(sys.argv[1], sys.argv[2].encode(), {"Content-Type": "application/json"})
print(urllib.request.urlopen(request, timeout=10).status)' "http://127.0.0.1:$port/$1" "$2"
}

start first
[ "$(post auth/signup "{$secret, \"name\": \"Ana\"}")" = 201 ]
stop
start second
[ "$(post auth/login "{$secret}")" = 200 ]
stop
echo "make serve starts, remembers, and leaves nothing behind"
