# SPDX-License-Identifier: Apache-2.0
# The seven networks in the order of the tables, with the names that readers know; others follow as they come.
BEGIN {
    split("mobilenet_v1 mobilenet_v2 mobilenet_v3_large mobilenet_v3_small mnasnet1_0 efficientnet_b0 xception", network, " ")
    split("MobileNetV1,MobileNetV2,MobileNetV3-Large,MobileNetV3-Small,MNASNet 1.0,EfficientNet-B0,Xception 299", titles, ",")
    for (networks = 0; networks < 7; networks++) {
        known[network[networks + 1]]
        title[network[networks + 1]] = titles[networks + 1]
    }
}
!($3 in known) {known[$3]; network[++networks] = title[$3] = $3}
