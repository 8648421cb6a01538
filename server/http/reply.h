// SPDX-License-Identifier: Apache-2.0
//
// What a request is answered with: status, headers and body; and the problem documents that errors are.
//
// Ownership: a reply owns its body until http.c takes it. Threads: whoever owns the job.
#ifndef DSCD_REPLY_H
#define DSCD_REPLY_H

#include "server/base/buffer.h"

#define REPLY_NO_HEADER_LENGTH SIZE_MAX

typedef struct reply {
    int status;               // 0: not answered yet
    const char *content_type; // static
    buffer body;
    char allow[32];               // of a 405 and of OPTIONS; "" otherwise
    buffer server_timing;         // of an inference: a terminated text, or empty
    uint32_t retry_after_s;       // of a 503; 0: none
    size_t header_length;         // Inference-Header-Content-Length, or REPLY_NO_HEADER_LENGTH
    bool must_close;              // the connection ends with this reply
    char digest[72];              // Input-Digest; "": none
    const char *content_encoding; // static; NULL: none
    bool offers_codings;          // of a 415: Accept-Encoding
    const char *accepts;          // of a 415: Accept, the types that would be taken; static; NULL: none
    const char *members;          // of a problem, beside the usual ones: static text such as "\"ready\":false"; or NULL
} reply;

void reply_init(reply *r);
void reply_close(reply *r);

// Makes the reply an error: a JSON object with OIP's "error" and RFC 9457's type, title, status and detail. What was
// written before is dropped. Never fails: without memory a fixed document stands in.
void reply_problem(reply *r, int status, const char *format, ...) __attribute__((format(printf, 3, 4)));
// 200 with what `body` holds by now, or 503 where memory for it was lacking.
void reply_ok(reply *r, const char *content_type);

const char *reply_title(int status);

// Position of a status in status_list.inc, for the metrics; the one of 500 for a status that is not in it.
size_t reply_status_index(int status);
size_t reply_status_count(void);
int reply_status_at(size_t index);

#endif
