// SPDX-License-Identifier: Apache-2.0
// ONNX Runtime among the rivals; peer.h says how it is started and what it answers.
const fs = require('fs');
const readline = require('readline');
const ort = require('onnxruntime-node');
const { version } = require('onnxruntime-node/package.json');

const [path, threads, input, output] = process.argv.slice(2);

async function turn(session, feeds, ms) {
  const times = [];
  await session.run(feeds); // wakes caches and threads, does not count
  const end = process.hrtime.bigint() + BigInt(ms) * 1000000n;
  while (process.hrtime.bigint() < end || times.length < 3) {
    const start = process.hrtime.bigint();
    await session.run(feeds);
    times.push(Number(process.hrtime.bigint() - start));
  }
  times.sort((a, b) => a - b);
  const mean = times.reduce((a, b) => a + b, 0) / times.length;
  console.log(`${times[0]} ${times[times.length >> 1]} ${mean} ${times.length} 0`);
}

async function main() {
  const session = await ort.InferenceSession.create(path, {
    intraOpNumThreads: Number(threads), interOpNumThreads: 1, executionMode: 'sequential', graphOptimizationLevel: 'all',
  });
  const shape = session.inputMetadata[0].shape.map((d) => (typeof d === 'number' && d > 0 ? d : 1));
  const bytes = fs.readFileSync(input);
  const data = new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
  const feeds = { [session.inputNames[0]]: new ort.Tensor('float32', data, shape) };
  const answer = (await session.run(feeds))[session.outputNames[0]].data;
  fs.writeFileSync(output, Buffer.from(answer.buffer, answer.byteOffset, answer.byteLength));
  console.log(`ready 0 ONNX-Runtime-${version}`);
  for await (const line of readline.createInterface({ input: process.stdin })) await turn(session, feeds, Number(line));
}
main().catch((error) => { console.error(String(error)); process.exit(1); });
