# Of the simulator's image alone: the network of the emulator, and the site that the simulator wrote on the second disk, which
# says where a repository is.
[ -b /dev/vdb ] && head -c 262144 /dev/vdb | tr -d '\0' > /sysroot/run/mirror.json
ip link set eth0 up
ip addr add 10.0.2.15/24 dev eth0
ip route add default via 10.0.2.2
