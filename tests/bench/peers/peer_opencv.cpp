// SPDX-License-Identifier: Apache-2.0
// OpenCV's DNN module among the rivals; see peer.h. The model's input must be one square picture of three channels.
#include "tests/bench/peers/peer.h"

#include <cmath>
#include <opencv2/core.hpp>
#include <opencv2/core/utils/logger.hpp>
#include <opencv2/dnn.hpp>

struct engine {
    cv::dnn::Net net;
    cv::Mat output;
};

static bool run(void *context) {
    engine *e = static_cast<engine *>(context);
    e->output = e->net.forward();
    return !e->output.empty();
}

int main(int argc, char **argv) {
    if (argc != 5) peer_fail(argv[0], "MODEL.onnx THREADS INPUT OUTPUT");
    size_t count = 0;
    float *input = peer_read(argv[3], &count);
    int side = static_cast<int>(std::lround(std::sqrt(static_cast<double>(count) / 3)));
    if (static_cast<size_t>(side) * static_cast<size_t>(side) * 3 != count) peer_fail(argv[3], "is no square picture");
    try {
        cv::utils::logging::setLogLevel(cv::utils::logging::LOG_LEVEL_SILENT);
        cv::setNumThreads(std::atoi(argv[2]));
        engine e;
        e.net = cv::dnn::readNetFromONNX(argv[1]);
        e.net.setPreferableBackend(cv::dnn::DNN_BACKEND_OPENCV);
        e.net.setPreferableTarget(cv::dnn::DNN_TARGET_CPU);
        const int dims[] = {1, 3, side, side};
        e.net.setInput(cv::Mat(4, dims, CV_32F, input));
        run(&e);
        cv::Mat flat = e.output.isContinuous() ? e.output : e.output.clone();
        peer_write(argv[4], flat.ptr<float>(), flat.total());
        const peer self = {run, &e, nullptr};
        return peer_serve(&self, 0, "OpenCV-" CV_VERSION);
    } catch (const cv::Exception &failure) {
        peer_fail("OpenCV", failure.err.substr(0, 120).c_str());
    }
    return EXIT_FAILURE;
}
