#!/bin/sh
# The first root of an Enigm OS machine: opens the watchdog, verifies the root file system of the slot that it was started
# from, mounts it and hands over. All of it is covered by the signature of the boot image, the words below too:
#   enigm.verity=ROOT   root hash of the file system        enigm.blocks=N       its data blocks of 4 KiB
#   enigm.a=PARTUUID    boot partition of slot A            enigm.b=PARTUUID     that of slot B
PATH=/bin
fail() {
  echo "<3>enigm: $1" > /dev/kmsg
  # Resets the machine (panic=1); the firmware then starts the next image that it can.
  echo c > /proc/sysrq-trigger
}
mount -t proc proc /proc
# The shell reads and compares by itself wherever it can: each process costs a start.
read -r signed < /proc/cmdline
word() { for pair in $signed; do case $pair in "$1"=*) echo "${pair#*=}" ;; esac; done; }

mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
while read -r module words; do insmod "/$module" $words || echo "enigm: no driver $module" > /dev/kmsg; done < /modules

# From here on somebody must write to it in time: the supervisor inherits it as descriptor 9.
if [ -c /dev/watchdog ]; then exec 9> /dev/watchdog; else exec 9> /dev/null; fi

mount -t efivarfs efivarfs /sys/firmware/efi/efivars
# Of the stub: four bytes of attributes, then the partition that it was started from, in UTF-16.
started=/sys/firmware/efi/efivars/LoaderDevicePartUUID-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f
started=$(dd if=$started bs=1 skip=4 | tr -d '\0' | tr A-Z a-z)
case $started in
  "$(word enigm.a)") slot=a ;;
  "$(word enigm.b)") slot=b ;;
  *) fail "started from no slot: $started" ;;
esac

# A start that does not come to its end is tried once more, then the other slot, then recovery: what is written here says
# where the next one goes, and whoever is healthy takes it away. The firmware forgets BootNext before it starts it, and
# passes over a slot whose image it refuses: so a third start of the same slot is the last.
variables=/sys/firmware/efi/efivars
begun=$variables/EnigmBegun-656e6967-6d00-4000-a000-000000000001
before=$([ -f $begun ] && dd if=$begun bs=1 skip=4)
case $before$slot in
  *a*b* | *b*a* | *aaa | *bbb) next='\022' ;;
  *aa) next='\021' ;;
  *bb) next='\020' ;;
  *) next= ;;
esac
# A trial: each start costs one try, and while it has another, that one is next.
trial=$variables/EnigmTrial-656e6967-6d00-4000-a000-000000000001
case $([ -f $trial ] && dd if=$trial bs=1 skip=4) in
  "$slot"1) left=0 ;;
  "$slot"[2-7]) left=$(($(dd if=$trial bs=1 skip=5) - 1)) ;;
  *) left= ;;
esac
if [ -n "$left" ]; then
  first-root writable $trial
  printf '\007\000\000\000%s' "$slot$left" > $trial
  if [ "$left" -gt 0 ]; then case $slot in a) next='\020' ;; b) next='\021' ;; esac; fi
fi

[ -f $begun ] && first-root writable $begun
printf '\007\000\000\000%s' "$before$slot" > $begun
[ -z "$next" ] ||
  printf "\007\000\000\000$next\000" > $variables/BootNext-8be4df61-93ca-11d2-aa0d-00e098032b8c

partition() {
  for device in /sys/class/block/*; do
    while read -r line; do
      if [ "$line" = "PARTNAME=$1" ]; then echo "/dev/${device##*/}"; fi
    done < "$device/uevent"
  done
}
root=$(partition "root-$slot")
[ -n "$root" ] || fail "no partition root-$slot"
blocks=$(word enigm.blocks)
# All that the kernel is told of the tree was signed: the superblock before it, which nobody signed, is not read. Blocks have
# 4 KiB, a sector 512 bytes; the name is as cryptsetup gives it, with the root hash for the number of the file system.
hash=$(word enigm.verity)
tree="1 $root $root 4096 4096 $blocks $((blocks + 1)) sha256 $hash - 1 panic_on_corruption"
first-root verity root "CRYPT-VERITY-$hash-root" $((blocks * 8)) "$tree" ||
  fail "root-$slot has no hash tree"
mount -t erofs -o ro /dev/mapper/root /sysroot || fail "root-$slot is not what was signed"

# What was just verified opens the data of this machine, with the approval that the stub took out of the boot image. From
# then on the boot has another phase, and nobody opens it: a machine that cannot say so must not go on.
for place in dev proc sys; do mount -o bind "/$place" "/sysroot/$place"; done
[ -d /.extra ] && mount -o bind /.extra /sysroot/run
echo >&9
programs=/usr/lib/enigm
data=$(chroot /sysroot $programs/node --no-warnings --jitless $programs/start.cjs $programs/unlock.cjs "$(partition data)") ||
  fail "the boot cannot go on from its first phase"
echo >&9
[ -d /.extra ] && umount /sysroot/run
for place in dev proc sys; do umount "/sysroot/$place"; done

mount -o move /dev /sysroot/dev
mount -o move /proc /sysroot/proc
mount -o move /sys /sysroot/sys
exec switch_root /sysroot /sbin/init "$slot" "$data"
