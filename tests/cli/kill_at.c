/* Preloaded into the program: the power switch of resume_test.py.
 *
 * KEXUE_KILL_AT=n kills the process with SIGKILL at the n-th call, counted from
 * 1, of those that change what is on disk below a folder named "checkpoints";
 * in the middle of it, where the call is a write. KEXUE_KILL_COUNT=FILE instead
 * counts them: the number of calls is left in FILE. KEXUE_SLOW_MS=n sleeps
 * with each line of metrics.jsonl, so that there is time to kill from outside;
 * KEXUE_SLOW_SYNC_MS=n with each fsync below "checkpoints". */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static long calls = 0;

static int is_ours_path(const char* path) {
  return path != NULL && strstr(path, "checkpoints") != NULL;
}

static int has_path(int fd, const char* part) {
  char link[64], path[4096];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  const ssize_t n = readlink(link, path, sizeof path - 1);
  if (n <= 0) return 0;
  path[n] = '\0';
  return strstr(path, part) != NULL;
}

static int is_ours(int fd) {
  return has_path(fd, "checkpoints");
}

static void sleep_as(const char* variable) {
  const char* ms = getenv(variable);
  if (ms != NULL) usleep(1000 * (useconds_t)strtol(ms, NULL, 10));
}

/* 1 if this call is the one to die in. */
static int is_now(void) {
  const char* at = getenv("KEXUE_KILL_AT");
  const char* count = getenv("KEXUE_KILL_COUNT");
  const long n = __atomic_add_fetch(&calls, 1, __ATOMIC_SEQ_CST);
  if (count != NULL) {
    FILE* file = fopen(count, "w");
    if (file != NULL) {
      fprintf(file, "%ld\n", n);
      fclose(file);
    }
  }
  return at != NULL && n == strtol(at, NULL, 10);
}

static void die(void) {
  kill(getpid(), SIGKILL);
  for (;;) pause();
}

#define NEXT(name, type) ((type)dlsym(RTLD_NEXT, name))

ssize_t write(int fd, const void* from, size_t bytes) {
  typedef ssize_t (*Write)(int, const void*, size_t);
  static Write next = NULL;
  if (next == NULL) next = NEXT("write", Write);
  if (is_ours(fd) && is_now()) {
    next(fd, from, bytes / 2);
    die();
  }
  if (has_path(fd, "metrics.jsonl")) sleep_as("KEXUE_SLOW_MS");
  return next(fd, from, bytes);
}

int fsync(int fd) {
  typedef int (*Fsync)(int);
  static Fsync next = NULL;
  if (next == NULL) next = NEXT("fsync", Fsync);
  if (is_ours(fd)) {
    if (is_now()) die();
    sleep_as("KEXUE_SLOW_SYNC_MS");
  }
  return next(fd);
}

int rename(const char* from, const char* to) {
  typedef int (*Rename)(const char*, const char*);
  static Rename next = NULL;
  if (next == NULL) next = NEXT("rename", Rename);
  if (is_ours_path(to) && is_now()) die();
  return next(from, to);
}

int mkdir(const char* path, mode_t mode) {
  typedef int (*Mkdir)(const char*, mode_t);
  static Mkdir next = NULL;
  if (next == NULL) next = NEXT("mkdir", Mkdir);
  if (is_ours_path(path) && is_now()) die();
  return next(path, mode);
}

int unlink(const char* path) {
  typedef int (*Unlink)(const char*);
  static Unlink next = NULL;
  if (next == NULL) next = NEXT("unlink", Unlink);
  if (is_ours_path(path) && is_now()) die();
  return next(path);
}

int rmdir(const char* path) {
  typedef int (*Rmdir)(const char*);
  static Rmdir next = NULL;
  if (next == NULL) next = NEXT("rmdir", Rmdir);
  if (is_ours_path(path) && is_now()) die();
  return next(path);
}
