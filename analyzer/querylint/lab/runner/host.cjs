/**
 * Runs bundles, each time in a context of its own (but for measurements, which use what has been laid), and answers one line for each line that it is asked. It is started with Node's permission
 * model (no files but its own folder, no programs, no addons), with nothing in its environment and without code out of strings; the doors to
 * the network are shut here, before anything of the project runs.
 */
"use strict";
const { AsyncLocalStorage } = require("node:async_hooks");
const fs = require("node:fs");
const readline = require("node:readline");
const vm = require("node:vm");

const { stdin, stdout } = process; // made now, while sockets can still be made, and so is the third
void process.stderr;

function refuse() {
  throw new Error("out of reach: the network");
}

for (const name of ["net", "tls", "dgram", "dns", "http", "https", "http2", "inspector", "worker_threads", "child_process", "cluster"]) {
  const door = require(`node:${name}`);
  for (const key of Object.keys(door)) {
    if (typeof door[key] === "function") {
      if (door[key].prototype) for (const method of ["connect", "bind", "send"]) if (method in door[key].prototype) door[key].prototype[method] = refuse;
      try {
        door[key] = refuse;
      } catch {
        // it cannot be replaced, and its prototype is shut
      }
    }
  }
}
require("node:module").syncBuiltinESMExports();
const { subtle } = globalThis.crypto;
const GIVEN = [
  "AbortController", "AbortSignal", "Blob", "CompressionStream", "CryptoKey", "DOMException", "DecompressionStream", "Event", "EventTarget",
  "File", "FormData", "Headers", "ReadableStream", "Request", "Response", "TextDecoder", "TextDecoderStream", "TextEncoder",
  "TextEncoderStream", "TransformStream", "URL", "URLSearchParams", "WritableStream", "atob", "btoa", "queueMicrotask", "structuredClone",
];
const given = Object.fromEntries(GIVEN.filter((name) => name in globalThis).map((name) => [name, globalThis[name]]));
for (const name of ["fetch", "WebSocket", "EventSource"]) globalThis[name] = refuse;
for (const name of ["binding", "_linkedBinding", "dlopen", "getBuiltinModule", "kill", "chdir", "setuid", "setgid"]) process[name] = refuse;

const scripts = new Map();

function scriptOf(path) {
  if (!scripts.has(path)) {
    if (scripts.size > 8) scripts.clear();
    scripts.set(path, new vm.Script(fs.readFileSync(path, "utf8"), { filename: "bundle.js" }));
  }
  return scripts.get(path);
}

let kept = { bundle: "", context: null };

/** A context in which a bundle has been run; the same as before for a `lasting` one. */
function contextOf(bundle, lasting) {
  if (lasting && kept.bundle === bundle) return kept.context;
  const lab = { turn: (then) => setImmediate(then), elapsed: () => Number(process.hrtime.bigint() / 1000000n), subtle };
  const context = vm.createContext({ ...given, AsyncLocalStorage, lab }, { codeGeneration: { strings: false, wasm: false } });
  scriptOf(bundle).runInContext(context);
  if (lasting) kept = { bundle, context };
  return context;
}

async function answer(line) {
  const { bundle, request } = JSON.parse(line);
  return await contextOf(bundle, "measure" in request).bench(JSON.stringify(request));
}

process.on("unhandledRejection", () => undefined);
readline.createInterface({ input: stdin }).on("line", (line) => {
  answer(line).then(
    (text) => stdout.write(`${text}\n`),
    (error) => stdout.write(`${JSON.stringify({ refused: String((error && error.message) || error) })}\n`),
  );
});
