/* File operations below one folder, counted; one of them can be made to go wrong.
 *
 * Loaded before the C library (LD_PRELOAD), so that it sees what Python, torch and safetensors do alike. It is
 * idle until `faults_arm` is called, in a process that was forked for one trial. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

enum { COUNT, BEFORE, MIDDLE, AFTER, SHORT, ERROR };

static int armed, mode, error_number, log_file = -1;
static long at, count;
static char root[PATH_MAX];
static size_t root_length;

void faults_arm(const char *folder, long number, int how, int error, const char *log)
{
    mode = how, at = number, error_number = error, count = 0;
    root_length = strlen(strcpy(root, folder));
    log_file = *log ? syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600) : -1;
    armed = 1;
}

static int below(const char *path)
{
    return !strncmp(path, root, root_length) && (path[root_length] == '/' || !path[root_length]);
}

/* The absolute path of a name relative to an open folder. */
static const char *resolved(int folder, const char *name, char *buffer)
{
    char link[64];
    ssize_t n;
    if (name && *name == '/')
        return name;
    if (folder == AT_FDCWD)
        strcpy(link, "/proc/self/cwd");
    else
        snprintf(link, sizeof link, "/proc/self/fd/%d", folder);
    n = readlink(link, buffer, PATH_MAX - 1);
    if (n < 0)
        return "";
    buffer[n] = 0;
    if (name)
        snprintf(buffer + n, PATH_MAX - n, "/%s", name);
    return buffer;
}

/* Counts an operation; 1 if it is the one that goes wrong. */
static int hit(const char *operation, const char *path)
{
    if (!armed || !below(path))
        return 0;
    count++;
    if (log_file >= 0)
        dprintf(log_file, "%ld\t%s\t%s\n", count, operation, path + root_length);
    return mode != COUNT && count == at;
}

static void die(void)
{
    syscall(SYS_kill, getpid(), SIGKILL);
}

#define REAL(name) ((__typeof__(&name))(dlsym(RTLD_NEXT, #name)))

/* An operation without a middle: it fails, or the process dies before or after it. */
#define WHOLE(operation, path, call)                    \
    do {                                                \
        if (!hit(operation, path))                      \
            return call;                                \
        if (mode == ERROR) {                            \
            errno = error_number;                       \
            return -1;                                  \
        }                                               \
        if (mode == BEFORE || mode == MIDDLE)           \
            die();                                      \
        __typeof__(call) result = call;                 \
        if (mode == AFTER)                              \
            die();                                      \
        return result;                                  \
    } while (0)

static int writes(int flags)
{
    return (flags & O_ACCMODE) != O_RDONLY || flags & (O_CREAT | O_TRUNC);
}

#define OPEN(name, folder, path, flags, call)                                  \
    do {                                                                       \
        char buffer[PATH_MAX];                                                 \
        if (!armed || !writes(flags))                                          \
            return call;                                                       \
        WHOLE("open", resolved(folder, path, buffer), call);                   \
    } while (0)

#define MODE                                    \
    va_list more;                               \
    va_start(more, flags);                      \
    mode_t permissions = va_arg(more, mode_t);  \
    va_end(more)

int open(const char *path, int flags, ...)
{
    MODE;
    OPEN(open, AT_FDCWD, path, flags, REAL(open)(path, flags, permissions));
}

int open64(const char *path, int flags, ...)
{
    MODE;
    OPEN(open64, AT_FDCWD, path, flags, REAL(open64)(path, flags, permissions));
}

int openat(int folder, const char *path, int flags, ...)
{
    MODE;
    OPEN(openat, folder, path, flags, REAL(openat)(folder, path, flags, permissions));
}

int openat64(int folder, const char *path, int flags, ...)
{
    MODE;
    OPEN(openat64, folder, path, flags, REAL(openat64)(folder, path, flags, permissions));
}

ssize_t write(int file, const void *data, size_t size)
{
    char buffer[PATH_MAX];
    if (!armed || file == log_file || !hit("write", resolved(file, NULL, buffer)))
        return REAL(write)(file, data, size);
    if (mode == ERROR) {
        errno = error_number;
        return -1;
    }
    if (mode == BEFORE)
        die();
    ssize_t done = REAL(write)(file, data, mode == AFTER ? size : (size + 1) / 2);
    if (mode != SHORT)
        die();
    return done;
}

ssize_t writev(int file, const struct iovec *parts, int n)
{
    char buffer[PATH_MAX];
    WHOLE("write", resolved(file, NULL, buffer), REAL(writev)(file, parts, n));
}

ssize_t copy_file_range(int from, off64_t *a, int to, off64_t *b, size_t size, unsigned flags)
{
    char buffer[PATH_MAX];
    WHOLE("write", resolved(to, NULL, buffer), REAL(copy_file_range)(from, a, to, b, size, flags));
}

int rename(const char *from, const char *to)
{
    char buffer[PATH_MAX];
    WHOLE("rename", resolved(AT_FDCWD, to, buffer), REAL(rename)(from, to));
}

int renameat(int a, const char *from, int b, const char *to)
{
    char buffer[PATH_MAX];
    WHOLE("rename", resolved(b, to, buffer), REAL(renameat)(a, from, b, to));
}

int unlink(const char *path)
{
    char buffer[PATH_MAX];
    WHOLE("unlink", resolved(AT_FDCWD, path, buffer), REAL(unlink)(path));
}

int unlinkat(int folder, const char *path, int flags)
{
    char buffer[PATH_MAX];
    WHOLE("unlink", resolved(folder, path, buffer), REAL(unlinkat)(folder, path, flags));
}

int rmdir(const char *path)
{
    char buffer[PATH_MAX];
    WHOLE("rmdir", resolved(AT_FDCWD, path, buffer), REAL(rmdir)(path));
}

int mkdir(const char *path, mode_t permissions)
{
    char buffer[PATH_MAX];
    WHOLE("mkdir", resolved(AT_FDCWD, path, buffer), REAL(mkdir)(path, permissions));
}

int mkdirat(int folder, const char *path, mode_t permissions)
{
    char buffer[PATH_MAX];
    WHOLE("mkdir", resolved(folder, path, buffer), REAL(mkdirat)(folder, path, permissions));
}

int fsync(int file)
{
    char buffer[PATH_MAX];
    WHOLE("fsync", resolved(file, NULL, buffer), REAL(fsync)(file));
}

int ftruncate(int file, off_t size)
{
    char buffer[PATH_MAX];
    WHOLE("truncate", resolved(file, NULL, buffer), REAL(ftruncate)(file, size));
}
