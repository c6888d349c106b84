// SPDX-License-Identifier: MIT
// Outputs of a model by onnxruntime-node, as ONNX TensorProto files output_0.pb, ...
// Usage: node onnxruntime.js MODEL.onnx OUTPUT-DIR [INPUT.pb ...]
// Inputs are in the model's order. onnxruntime-node is found by NODE_PATH.
'use strict';
const fs = require('fs');
const path = require('path');
const ort = require('onnxruntime-node');

// TensorProto.DataType: onnxruntime's name and the array that holds its elements
const TYPES = {
  1: ['float32', Float32Array], 2: ['uint8', Uint8Array], 3: ['int8', Int8Array],
  6: ['int32', Int32Array], 7: ['int64', BigInt64Array], 9: ['bool', Uint8Array],
  10: ['float16', Uint16Array], 11: ['float64', Float64Array],
};
const DIMS = 1, DATA_TYPE = 2, FLOAT_DATA = 4, INT32_DATA = 5, INT64_DATA = 7, NAME = 8, RAW_DATA = 9;
const VARINT = 0, BYTES = 2, FIXED32 = 5;

// A protocol buffer's fields: { number: [values] }, a value being a BigInt or a Buffer
function fields(buffer) {
  const found = {};
  let at = 0;
  const varint = () => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = buffer[at++];
      if (byte === undefined) throw new Error('the file is damaged');
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asIntN(64, value);
    }
  };
  while (at < buffer.length) {
    const key = Number(varint());
    let value;
    if ((key & 7) === VARINT) {
      value = varint();
    } else if ((key & 7) === BYTES || (key & 7) === FIXED32) {
      const size = (key & 7) === FIXED32 ? 4 : Number(varint());
      value = buffer.subarray(at, at + size);
      at += size;
    } else {
      throw new Error('the file is damaged');
    }
    (found[key >> 3] ??= []).push(value);
  }
  return found;
}

// Repeated integers, packed or not
function integers(values = []) {
  return values.flatMap((v) => {
    if (typeof v === 'bigint') return [v];
    const out = [];
    for (let at = 0; at < v.length;) {
      let value = 0n, shift = 0n, byte;
      do {
        byte = v[at++];
        value |= BigInt(byte & 0x7f) << shift;
        shift += 7n;
      } while (byte >= 0x80);
      out.push(BigInt.asIntN(64, value));
    }
    return out;
  });
}

function readTensor(file) {
  const proto = fields(fs.readFileSync(file));
  const dims = integers(proto[DIMS]).map(Number);
  const [type, array] = TYPES[Number(proto[DATA_TYPE][0])] ?? [];
  if (!type) throw new Error(`${file}: element type ${proto[DATA_TYPE][0]} is not supported`);
  if (proto[RAW_DATA]) {
    const raw = Uint8Array.from(proto[RAW_DATA][0]);
    return new ort.Tensor(type, new array(raw.buffer), dims);
  }
  if (proto[FLOAT_DATA]) {
    const raw = Uint8Array.from(Buffer.concat(proto[FLOAT_DATA]));
    return new ort.Tensor(type, new array(raw.buffer), dims);
  }
  const values = integers(proto[INT64_DATA] ?? proto[INT32_DATA]);
  return new ort.Tensor(type, array.from(array === BigInt64Array ? values : values.map(Number)), dims);
}

function varint(value) {
  const bytes = [];
  for (let v = BigInt.asUintN(64, BigInt(value)); ; v >>= 7n) {
    bytes.push(Number(v & 0x7fn) | (v > 0x7fn ? 0x80 : 0));
    if (v <= 0x7fn) return Buffer.from(bytes);
  }
}

function writeTensor(file, name, tensor) {
  const number = Object.keys(TYPES).find((n) => TYPES[n][0] === tensor.type);
  if (!number) throw new Error(`output ${name}: ${tensor.type} is not supported`);
  const bytes = (field, data) => [varint(field << 3 | BYTES), varint(data.length), data];
  const { buffer, byteOffset, byteLength } = tensor.data;
  fs.writeFileSync(file, Buffer.concat([
    ...tensor.dims.flatMap((d) => [varint(DIMS << 3 | VARINT), varint(d)]),
    varint(DATA_TYPE << 3 | VARINT), varint(number),
    ...bytes(NAME, Buffer.from(name)), ...bytes(RAW_DATA, Buffer.from(buffer, byteOffset, byteLength)),
  ]));
}

async function main([model, folder, ...inputs]) {
  const session = await ort.InferenceSession.create(model, { logSeverityLevel: 3 });
  if (inputs.length !== session.inputNames.length)
    throw new Error(`the model has ${session.inputNames.length} inputs, not ${inputs.length}`);
  const feeds = Object.fromEntries(session.inputNames.map((name, i) => [name, readTensor(inputs[i])]));
  const outputs = await session.run(feeds);
  session.outputNames.forEach((name, i) => writeTensor(path.join(folder, `output_${i}.pb`), name, outputs[name]));
}

main(process.argv.slice(2)).catch((e) => {
  console.error(`onnxruntime.js: ${e.message}`);
  process.exit(1);
});
