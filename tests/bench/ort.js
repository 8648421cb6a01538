// SPDX-License-Identifier: Apache-2.0
// Times a model in ONNX Runtime, as `dscd bench --json` does: node ort.js MODEL.onnx [SECONDS] [THREADS]
const ort = require('onnxruntime-node');

async function main() {
  const [path, seconds, threads] = [process.argv[2], Number(process.argv[3] || 1), Number(process.argv[4] || 1)];
  const session = await ort.InferenceSession.create(path, {
    intraOpNumThreads: threads, interOpNumThreads: 1, executionMode: 'sequential', graphOptimizationLevel: 'all',
  });
  const shape = session.inputMetadata[0].shape.map((d) => (typeof d === 'number' && d > 0 ? d : 1));
  const data = Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => Math.sin(i * 1.7));
  const feeds = { [session.inputNames[0]]: new ort.Tensor('float32', data, shape) };
  for (let i = 0; i < 3; i++) await session.run(feeds);
  const times = [];
  const end = process.hrtime.bigint() + BigInt(Math.round(seconds * 1e9));
  while (process.hrtime.bigint() < end || times.length < 3) {
    const start = process.hrtime.bigint();
    await session.run(feeds);
    times.push(Number(process.hrtime.bigint() - start) / 1e6);
  }
  times.sort((a, b) => a - b);
  console.log(JSON.stringify({ min_ms: times[0], median_ms: times[times.length >> 1], runs: times.length }));
}
main().catch((error) => { console.error(String(error)); process.exit(1); });
