/*
 * What a first root asks of the kernel beside what busybox can. dmsetup(8) and chattr(1), with their libraries, were two thirds
 * of it, and the firmware reads and measures each byte of it at each start.
 *
 *   first-root verity NAME UUID SECTORS WORDS   maps /dev/mapper/NAME, read-only; WORDS are those of dm-verity
 *                                               (Linux, admin-guide/device-mapper/verity.rst)
 *   first-root writable FILE                    takes from a firmware variable what keeps it from being changed
 *                                               (Linux, filesystems/efivarfs.rst)
 *
 * Exit code 0, or 1 with one line on stderr.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/dm-ioctl.h>
#include <linux/fs.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/* What DM_TABLE_LOAD takes: a head, one target, its words. */
struct request {
  struct dm_ioctl head;
  struct dm_target_spec target;
  char words[1024];
};

static int failed(const char *what) {
  fprintf(stderr, "first-root: %s: %s\n", what, strerror(errno));
  return 1;
}

static struct request begun(const char *name) {
  struct request request = {.head = {
    .version = {4, 0, 0},
    .data_size = sizeof request,
    .data_start = offsetof(struct request, target),
  }};
  strcpy(request.head.name, name);
  return request;
}

static int verity(const char *name, const char *uuid, const char *sectors, const char *words) {
  char node[DM_NAME_LEN + sizeof "/dev/mapper/"];
  if (strlen(name) >= DM_NAME_LEN || strlen(uuid) >= DM_UUID_LEN || strlen(words) >= sizeof ((struct request *)0)->words) {
    errno = ENAMETOOLONG;
    return failed("verity");
  }
  struct request created = begun(name), loaded = begun(name), resumed = begun(name);
  int control = open("/dev/mapper/control", O_RDWR | O_CLOEXEC);
  if (control < 0) return failed("/dev/mapper/control");

  strcpy(created.head.uuid, uuid);
  if (ioctl(control, DM_DEV_CREATE, &created)) return failed("create");

  loaded.head.flags = DM_READONLY_FLAG;
  loaded.head.target_count = 1;
  loaded.target.length = strtoull(sectors, NULL, 10);
  strcpy(loaded.target.target_type, "verity");
  strcpy(loaded.words, words);
  if (ioctl(control, DM_TABLE_LOAD, &loaded)) return failed("table");

  /* Without DM_SUSPEND_FLAG it is what resumes, and puts the table to use. */
  if (ioctl(control, DM_DEV_SUSPEND, &resumed)) return failed("resume");

  snprintf(node, sizeof node, "/dev/mapper/%s", name);
  /* The kernel's form of a device number for more than 255 minors (linux/kdev_t.h, huge_encode_dev). */
  unsigned long long device = created.head.dev;
  dev_t number = makedev((device >> 8) & 0xfff, (device & 0xff) | ((device >> 12) & 0xfff00));
  return mknod(node, S_IFBLK | 0600, number) ? failed(node) : 0;
}

static int writable(const char *path) {
  int flags, file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0 || ioctl(file, FS_IOC_GETFLAGS, &flags)) return failed(path);
  flags &= ~FS_IMMUTABLE_FL;
  return ioctl(file, FS_IOC_SETFLAGS, &flags) ? failed(path) : 0;
}

int main(int count, char **words) {
  if (count == 6 && strcmp(words[1], "verity") == 0) return verity(words[2], words[3], words[4], words[5]);
  if (count == 3 && strcmp(words[1], "writable") == 0) return writable(words[2]);
  fprintf(stderr, "usage: first-root verity NAME UUID SECTORS WORDS | first-root writable FILE\n");
  return 1;
}
