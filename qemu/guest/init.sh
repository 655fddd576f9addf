#!/bin/sh
# PID 1 of the guest: mounts what the job needs, runs it, and tells the lab how it ended through a
# channel of its own (ttyS1), so that nothing on the console can be taken for the answer.
# All at once, as /etc/fstab says: under emulation, each process that starts takes its time.
mount -a
[ -d /sys/kernel/debug ] && mount -t debugfs debugfs /sys/kernel/debug

# busybox's shell prefers its own insmod, which tries everything twice, to ours.
insmod() { /bin/insmod "$@"; }

if [ -e /interactive ]; then
	# A terminal of its own, for Ctrl-C and job control.
	ENV=/job setsid cttyhack sh -i
else
	# shellcheck source=/dev/null
	(. /job) </dev/null >/dev/ttyS1 2>&1
	echo "lab: the job ended with $?" >/dev/ttyS1
fi
# There is no ACPI to power off with; QEMU ends instead of rebooting.
reboot -f
