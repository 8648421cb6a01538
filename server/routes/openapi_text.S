// SPDX-License-Identifier: Apache-2.0
//
// The API's description inside the binary. Built from the root of the repository.
    .section .rodata
    .global openapi_text, openapi_text_end
    .hidden openapi_text, openapi_text_end
openapi_text:
    .incbin "server/routes/openapi.json"
openapi_text_end:
    .byte 0

    .section .note.GNU-stack,"",@progbits
