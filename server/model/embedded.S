// SPDX-License-Identifier: Apache-2.0
//
// The default model, inside the binary. Built from the root of the repository. A file that is not there becomes an
// empty one: the program then says that it has no default model.
    .section .rodata
    .balign 64
    .global embedded_model, embedded_model_end
    .hidden embedded_model, embedded_model_end
embedded_model:
#if __has_include("config/models/fashion/1/model.onnx")
    .incbin "config/models/fashion/1/model.onnx"
#endif
embedded_model_end:
    .byte 0

    .global embedded_config, embedded_config_end
    .hidden embedded_config, embedded_config_end
embedded_config:
#if __has_include("config/models/fashion/config.json")
    .incbin "config/models/fashion/config.json"
#endif
embedded_config_end:
    .byte 0

    .global embedded_labels, embedded_labels_end
    .hidden embedded_labels, embedded_labels_end
embedded_labels:
#if __has_include("config/models/fashion/labels.txt")
    .incbin "config/models/fashion/labels.txt"
#endif
embedded_labels_end:
    .byte 0

    .section .note.GNU-stack,"",@progbits
