// SPDX-License-Identifier: Apache-2.0
// Reading a whole file. The bytes are copied, never mapped: a mapped file that is cut off behind our back is a SIGBUS.
#define _GNU_SOURCE
#include "engine/base/file.h"

#include "engine/base/error.h"
#include "engine/base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static dsc_status io_error(const char *path, const char *what, dsc_error *err) {
    char buffer[128];
    const char *reason = strerror_r(errno, buffer, sizeof buffer); // the GNU form: thread-safe, returns the text
    return error_set(err, DSC_IO, "\"%.300s\" cannot be %s: %s", path, what, reason);
}

static dsc_status check_file(int fd, const char *path, uint64_t limit_bytes, size_t *size, dsc_error *err) {
    struct stat info;
    if (fstat(fd, &info) != 0) return io_error(path, "read", err);
    if (S_ISDIR(info.st_mode)) return error_set(err, DSC_IO, "\"%.300s\" is a directory, not a file", path);
    if (!S_ISREG(info.st_mode)) {
        return error_set(err, DSC_IO, "\"%.300s\" is not a regular file but a pipe, socket or device", path);
    }
    uint64_t bytes = (uint64_t)info.st_size;
    if (bytes > limit_bytes || bytes >= SIZE_MAX) {
        return error_set(err, DSC_TOO_LARGE,
                         "\"%.300s\" has %" PRIu64 " bytes; the limit \"file_bytes\" leaves room for %" PRIu64, path,
                         bytes, limit_bytes);
    }
    *size = (size_t)bytes;
    return DSC_OK;
}

static dsc_status fill(int fd, const char *path, char *bytes, size_t size, dsc_error *err) {
    for (size_t done = 0; done < size;) {
        ssize_t got = read(fd, bytes + done, size - done);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return io_error(path, "read", err);
        if (got == 0) {
            return error_set(err, DSC_IO, "\"%.300s\" was cut off while it was read: %zu of %zu bytes", path, done,
                             size);
        }
        done += (size_t)got;
    }
    return DSC_OK;
}

static dsc_status read_opened(int fd, const char *path, uint64_t limit_bytes, void **bytes, size_t *size,
                              dsc_error *err) {
    if (fd < 0) return io_error(path, "opened", err);
    size_t count = 0;
    void *block = NULL;
    dsc_status status = check_file(fd, path, limit_bytes, &count, err);
    if (status == DSC_OK) {
        block = mem_alloc(count);
        status = block ? fill(fd, path, block, count, err) : error_no_memory(err, count);
    }
    close(fd);
    if (status != DSC_OK) {
        mem_free(block);
        return status;
    }
    *bytes = block;
    *size = count;
    return DSC_OK;
}

// Non-blocking: a pipe must not hold us up.
#define OPEN_FLAGS (O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)

dsc_status file_read(const char *path, uint64_t limit_bytes, void **bytes, size_t *size, dsc_error *err) {
    return read_opened(open(path, OPEN_FLAGS), path, limit_bytes, bytes, size, err);
}

static bool begins_with_folder(const char *path, const char *folder) {
    size_t length = strcmp(folder, "/") == 0 ? 0 : strlen(folder);
    return strncmp(path, folder, length) == 0 && path[length] == '/';
}

dsc_status file_read_inside(const char *folder, const char *name, uint64_t limit_bytes, void **bytes, size_t *size,
                            dsc_error *err) {
    char path[PATH_MAX], real_folder[PATH_MAX], real_path[PATH_MAX];
    int length = snprintf(path, sizeof path, "%s/%s", folder, name);
    if (length < 0 || (size_t)length >= sizeof path) {
        return error_set(err, DSC_IO, "\"%.100s\" in \"%.200s\" has too long a path", name, folder);
    }
    if (!realpath(folder, real_folder)) return io_error(folder, "opened", err);
    if (!realpath(path, real_path)) return io_error(path, "opened", err);
    if (!begins_with_folder(real_path, real_folder)) {
        return error_set(err, DSC_BAD_MODEL,
                         "\"%.200s\" is a link out of the model's own folder; only files in that folder are read",
                         path);
    }
    // No link is left in the path, so its last part must not have become one.
    return read_opened(open(real_path, OPEN_FLAGS | O_NOFOLLOW), path, limit_bytes, bytes, size, err);
}
