# Waits until the process that holds the other end of standard input has ended, however it did, then ends what it started and removes
# the folder $1. Each file in $1/groups is named for a process group that runs.
trap '' HUP INT TERM
cat >/dev/null
for group in "$1"/groups/*; do
	[ -e "$group" ] && kill -KILL -- "-${group##*/}"
done
servers=$(find "$1" -name postmaster.pid -exec head -n 1 {} \;)
for server in $servers; do
	kill -QUIT "$server"
done
tries=0
while [ "$tries" -lt 100 ] && for server in $servers; do kill -0 "$server" && break; done; do
	sleep 0.1
	tries=$((tries + 1))
done
rm -rf "$1"
