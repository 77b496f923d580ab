#!/bin/sh
# What starts when no slot does, and when the firmware has forgotten where the slots are. It has no secret, opens no data
# and starts no program of a slot (SR-33): it can point the firmware to the slots again, and have the repair release written
# to one of them (SR-12). /entries has our boot entries as the firmware keeps them. The signed command line has
#   enigm.verity=ROOT   root hash of the file system of recovery itself        enigm.blocks=N   its data blocks of 4 KiB
PATH=/bin
say() { echo "<3>enigm recovery: $1" > /dev/kmsg; }

mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
while read -r module words; do insmod "/$module" $words || say "no driver $module"; done < /modules
if [ -c /dev/watchdog ]; then exec 9> /dev/watchdog; else exec 9> /dev/null; fi
variables=/sys/firmware/efi/efivars
mount -t efivarfs efivarfs $variables

# Waits to be looked at; the next power-on tries the slots again.
stay() { say "$1"; while :; do echo >&9; sleep 5; done; }

word() { for pair in $(cat /proc/cmdline); do case $pair in "$1"=*) echo "${pair#*=}" ;; esac; done; }
# Feeds the watchdog for so many times five seconds: whoever takes longer hangs, and the machine is reset.
feed() { left=$1; while [ "$left" -gt 0 ]; do echo >&9; sleep 5; left=$((left - 1)); done; }

# Restarts the machine once a repair is next to start. What fails is tried again: the network may come, and the publisher
# may publish.
repair() {
  say "no slot starts"
  while read -r module words; do insmod "/$module" $words || say "no driver $module"; done < /modules-later
  root=
  for device in /sys/class/block/*; do
    if grep -qx "PARTNAME=recovery-root" "$device/uevent"; then root=/dev/${device##*/}; fi
  done
  [ -n "$root" ] || stay "no partition recovery-root: nothing is repaired"
  blocks=$(word enigm.blocks)
  hash=$(word enigm.verity)
  tree="1 $root $root 4096 4096 $blocks $((blocks + 1)) sha256 $hash -"
  first-root verity root "CRYPT-VERITY-$hash-root" $((blocks * 8)) "$tree" ||
    stay "its root has no hash tree: nothing is repaired"
  mount -t erofs -o ro /dev/mapper/root /sysroot || stay "its root is not what was signed: nothing is repaired"
  for place in dev proc sys; do mount -o rbind "/$place" "/sysroot/$place"; done
  mount -t tmpfs -o nosuid,nodev,noexec,mode=755 run /sysroot/run
  [ -f /sysroot/etc/enigm/machine.sh ] && . /sysroot/etc/enigm/machine.sh
  # Every driver is there: from here on the kernel takes no more code.
  echo 1 > /proc/sys/kernel/modules_disabled
  while :; do
    feed 360 &
    feeder=$!
    chroot /sysroot /usr/lib/enigm/node --no-warnings --jitless /usr/lib/enigm/recover.cjs 2> /dev/kmsg
    case $? in
      0) restart ;;
      # It said why.
      1) ;;
      *) say "its program failed: nothing is repaired" ;;
    esac
    kill $feeder
    feed 60
  done
}

restart() {
  sync
  echo b > /proc/sysrq-trigger
}

global=8be4df61-93ca-11d2-aa0d-00e098032b8c
# Four bytes of attributes, then the value.
[ "$(dd if=$variables/SecureBoot-$global bs=1 skip=4 | od -An -tu1 | tr -d ' ')" = 1 ] ||
  stay "the firmware does not enforce signatures: nothing is repaired"

forgotten=
for entry in /entries/Boot00*; do [ -f "$variables/${entry##*/}-$global" ] || forgotten=yes; done
[ -n "$forgotten" ] || repair

# Which slots began to start since one came to its end, and here r: that the entries were written since then.
begun=$variables/EnigmBegun-656e6967-6d00-4000-a000-000000000001
before=$([ -f $begun ] && dd if=$begun bs=1 skip=4)
case $before in *r*) stay "no slot starts, and the firmware forgets them" ;; esac
[ -f $begun ] && first-root writable $begun
printf '\007\000\000\000%s' "${before}r" > $begun

say "the firmware had forgotten the slots"
# A variable is written at once.
for entry in /entries/*; do dd if="$entry" of="$variables/${entry##*/}-$global" bs=4096; done
restart
