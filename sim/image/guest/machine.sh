# Of the simulator's image alone: the network of the emulator, the site that the simulator wrote on the second disk, a
# shell on the serial line.
[ -b /dev/vdb ] && head -c 262144 /dev/vdb | tr -d '\0' > /var/lib/enigm/site.json
# The Key is plugged in where it belongs to the device.
if grep -q '"beacon"' /var/lib/enigm/site.json; then
  ln -s ttyS1 /dev/enigm-key
  chown 0:20 /dev/ttyS1
  chmod 660 /dev/ttyS1
fi
ip link set eth0 up
ip addr add 10.0.2.15/24 dev eth0
ip route add default via 10.0.2.2
setsid sh -c 'while :; do sh -i; sleep 1; done < /dev/ttyS0 > /dev/ttyS0 2>&1' &
# Only once the programs answer: what a start costs is what it costs without a simulator.
(
  # A pipe that nobody writes to is a wait without a process: one that sleeps is started anew each time.
  mkfifo /run/pause
  until [ -e /run/enigm/start-ended ]; do read -r -t 1 nothing <> /run/pause; done
  # Held open: the line forgets that it is raw when the last who has it closes it.
  exec 8<> /dev/hvc0
  stty raw -echo <&8
  while :; do
    /usr/bin/node --no-warnings /usr/lib/enigm/start.cjs /usr/lib/enigm-sim/doors.cjs 2> /dev/kmsg
    sleep 1
  done
) &
