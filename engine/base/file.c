// SPDX-License-Identifier: Apache-2.0
// Reading a whole file. The bytes are copied, never mapped: a mapped file that is cut off behind our back is a SIGBUS.
#define _GNU_SOURCE
#include "engine/base/file.h"

#include "engine/base/error.h"
#include "engine/base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
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

dsc_status file_read(const char *path, uint64_t limit_bytes, void **bytes, size_t *size, dsc_error *err) {
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY); // non-blocking: a pipe must not hold us up
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
