// SPDX-License-Identifier: MIT
// Wall time of a model's inference by onnxruntime-node: median of the passes, ns.
// Usage: node onnxruntime.js MODEL PASSES   (onnxruntime-node is found by NODE_PATH)
'use strict';
const ort = require('onnxruntime-node');

async function main(model, passes) {
  const session = await ort.InferenceSession.create(model, { logSeverityLevel: 3 });
  const feeds = {};
  for (const { name, type, shape } of session.inputMetadata) {
    if (type !== 'float32')
      throw new Error(`input ${name} is ${type}, not float32`);
    const count = shape.reduce((a, b) => a * b, 1);
    feeds[name] = new ort.Tensor(type, Float32Array.from({ length: count }, (_, i) => i / count), shape);
  }
  await session.run(feeds);
  const times = [];
  for (let i = 0; i < passes; i++) {
    const start = process.hrtime.bigint();
    await session.run(feeds);
    times.push(process.hrtime.bigint() - start);
  }
  times.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  console.log(times[passes >> 1].toString());
}

main(process.argv[2], Number(process.argv[3])).catch((e) => {
  console.error(`onnxruntime.js: ${e.message}`);
  process.exit(1);
});
