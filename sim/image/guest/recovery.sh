#!/bin/sh
# What starts when no slot does, and when the firmware has forgotten where the slots are. It has no secret, opens no data
# and starts no program of a slot (SR-33): it can point the firmware to the slots again, and say what is wrong.
# /entries has our boot entries as the firmware keeps them.
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

global=8be4df61-93ca-11d2-aa0d-00e098032b8c
# Four bytes of attributes, then the value.
[ "$(dd if=$variables/SecureBoot-$global bs=1 skip=4 | od -An -tu1 | tr -d ' ')" = 1 ] ||
  stay "the firmware does not enforce signatures: nothing is repaired"

forgotten=
for entry in /entries/Boot00*; do [ -f "$variables/${entry##*/}-$global" ] || forgotten=yes; done
[ -n "$forgotten" ] || stay "no slot starts"

# Which slots began to start since one came to its end, and here r: that the entries were written since then.
begun=$variables/EnigmBegun-656e6967-6d00-4000-a000-000000000001
before=$([ -f $begun ] && dd if=$begun bs=1 skip=4)
case $before in *r*) stay "no slot starts, and the firmware forgets them" ;; esac
[ -f $begun ] && chattr -i $begun
printf '\007\000\000\000%s' "${before}r" > $begun

say "the firmware had forgotten the slots"
# A variable is written at once.
for entry in /entries/*; do dd if="$entry" of="$variables/${entry##*/}-$global" bs=4096; done
sync
echo b > /proc/sysrq-trigger
