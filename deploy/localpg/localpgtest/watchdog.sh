# Waits until the process that holds the other end of standard input has ended, then stops the cluster in $1 and removes it.
trap '' HUP INT TERM
cat >/dev/null
pidfile=$1/cluster/postmaster.pid
if [ -f "$pidfile" ]; then
	kill -QUIT "$(head -n 1 "$pidfile")"
	tries=0
	while [ -f "$pidfile" ] && [ "$tries" -lt 100 ]; do
		sleep 0.1
		tries=$((tries + 1))
	done
fi
# As root the cluster may be elsewhere.
if [ -L "$1/cluster" ]; then
	elsewhere=$(readlink "$1/cluster")
	rm -rf "${elsewhere%/cluster}"
fi
rm -rf "$1" || { sleep 1 && rm -rf "$1"; }
