#!/bin/sh
# Process 1 of an Enigm OS machine: what programs need of the kernel, then the supervisor, again and again. It reaps
# what nobody waits for. $1 is the slot that runs, $2 what became of the data partition (made, opened, closed); descriptor
# 9 is the watchdog, which the supervisor feeds.
PATH=/bin:/sbin:/usr/bin:/usr/sbin
export PATH
mount -t tmpfs -o nosuid,nodev,noexec,mode=755 run /run
mount -t tmpfs -o nosuid,nodev,noexec,mode=1777 tmp /tmp
mount -t securityfs securityfs /sys/kernel/security
mkdir -p /dev/pts
mount -t devpts -o nosuid,noexec devpts /dev/pts
# Where programs look for what they were given to read (nft does).
ln -s /proc/self/fd /dev/fd
ln -s /proc/self/fd/0 /dev/stdin
# All at once: each start of it reads what depends on what. It goes on behind a driver that is not there, and names it.
modprobe -a $(cat /etc/enigm/modules) 2> /dev/kmsg || echo "enigm: not every driver is there" > /dev/kmsg
hostname enigm
ip link set lo up
echo "$1" > /run/slot
echo "$2" > /run/data
# It runs and says so; what it writes meanwhile is gone at power-off.
[ "$2" = closed ] && mount -t tmpfs -o nosuid,nodev,noexec,mode=700 data /var/lib/enigm
[ -f /etc/enigm/machine.sh ] && . /etc/enigm/machine.sh
# Every driver is there: from here on the kernel takes no more code, and no program looks into another.
echo 1 > /proc/sys/kernel/modules_disabled
echo 3 > /proc/sys/kernel/yama/ptrace_scope
# The supervisor has as long to come to itself. Where it ends, the next one has what is left of that: one that only ever ends
# lets the watchdog reset the machine.
echo >&9
while :; do
  /usr/lib/enigm/node --no-warnings /usr/lib/enigm/start.cjs /usr/lib/enigm/supervisord.cjs 2> /dev/kmsg
  echo "enigm: the supervisor ended ($?)" > /dev/kmsg
  sleep 1
done
