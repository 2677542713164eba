/**
 * Bundles the functions of a project with the bench that runs them, once for each state of the project. Nothing of the project is run here.
 *
 * The first line of standard input says what the project is, each other asks for one bundle, and is answered by the reason why it could not
 * be made, or by null.
 */
import { readFileSync, realpathSync } from "node:fs";
import { builtinModules, createRequire } from "node:module";
import path from "node:path";
import readline from "node:readline";

// convex-test compares `lt`, `lte`, `gt` and `gte` in filters as JavaScript does; Convex puts all values in one order (convex-facts 2.8).
const COMPARISON = /evaluateFilter\(document, filter\.\$(gte?|lte?)\[0\]\) (>=?|<=?)\s+evaluateFilter\(document, filter\.\$\1\[1\]\)/g;
const GENERATED = /(^|\/)_generated\/(api|server)(\.[jt]s)?$/;
const BUILT_IN = new Set(builtinModules);
const CODE = /\.[cm]?[jt]sx?$/;

const lines = readline.createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const job = JSON.parse((await lines.next()).value);
const esbuild = createRequire(path.join(job.esbuild, "package.json"))("esbuild");
const inside = [...job.inside, job.runner].map((folder) => realpathSync(folder) + path.sep);

// A document without the text that a search index is about is not in that index; convex-test fails on it.
const SEARCHED = /const documentWords = result(\s+\.split)/;

function inOneOrder(code) {
  let found = 0;
  const patched = code.replace(COMPARISON, (_, name, sign) => {
    found += 1;
    return `compareValues(evaluateFilter(document, filter.$${name}[0]), evaluateFilter(document, filter.$${name}[1])) ${sign} 0`;
  });
  if (found !== 4) throw new Error(`convex-test has changed: ${found} comparisons instead of 4`);
  return patched.replace(SEARCHED, 'const documentWords = (typeof result === "string" ? result : "")$1');
}

// convex-test looks through the ids of all documents for those of a table whenever one is asked for anything, and takes the values of a range
// apart for every document. Here each table knows its ids, each range its values, what is written can be taken back (`journal`),
// and what an action calls goes by a door that can be watched (`crossing`).
const QUICK = `
const idsOf = new WeakMap();
const tests = new WeakMap();
function documentsByTable() {
  const tables = new Map();
  const ids = (id) => tables.get(tableNameFromId(id)) ?? tables.set(tableNameFromId(id), new Set()).get(tableNameFromId(id));
  const note = (target, id) => globalThis.journal.entries?.push([documents, id, target[id]]);
  const documents = new Proxy({}, {
    set: (target, id, value) => (note(target, id), ids(id).add(id), (target[id] = value), true),
    deleteProperty: (target, id) => (note(target, id), ids(id).delete(id), delete target[id]),
  });
  idsOf.set(documents, tables);
  return documents;
}
const crossed = (call) => async (...given) => await globalThis.crossing(async () => await call(...given));
function within(range, document) {
  if (!tests.has(range)) tests.set(range, range.map(testOf));
  return tests.get(range).every((test) => test(document));
}
function testOf(filter) {
  const value = evaluateQueryValue(filter.value);
  if (filter.type !== "Eq" || typeof value !== "string" || filter.fieldPath.includes(".")) return (document) => evaluateRangeFilter(document, filter);
  return (document) => document[filter.fieldPath] === value;
}
`;
const CROSSING = "globalThis.crossing = (call) => call();\n";
const PATCHES = [
  [
    ["_documents = {};", "_documents = documentsByTable();"],
    ["Object.keys(this._documents).filter(isInTable)", "idsOf.get(this._documents).get(tableName) ?? []"],
  ],
  [
    ["function evaluateQueryValue(", "function evaluateQueryValue("],
    ["source.range.every((filter) => evaluateRangeFilter(doc, filter))", "within(source.range, doc)"],
  ],
  [["value.some(hasPendingValues)", 'value.some((one) => typeof one === "object" && hasPendingValues(one))']],
  [
    ["runQuery: ctxRunQuery,", "runQuery: crossed(ctxRunQuery),"],
    ["runMutation: ctxRunMutation,", "runMutation: crossed(ctxRunMutation),"],
    ["runAction: ctxRunAction,", "runAction: crossed(ctxRunAction),"],
  ],
];

/** What of that can be done in this version, which is right as it is, and slower. */
function quick(code) {
  const able = PATCHES.filter((patch) => patch.every(([old]) => code.includes(old)));
  const patched = able.flat().reduce((text, [old, now]) => text.replace(old, now), code) + QUICK;
  return patched + (able.includes(PATCHES[0]) ? "globalThis.journal = { entries: null };\n" : "") + (able.includes(PATCHES[3]) ? CROSSING : "");
}

function nothing(what) {
  return { path: what, namespace: "nothing" };
}

function plugin(overlay, modules, schema, broken) {
  const entry = modules.map((file) => {
    const key = `./convex/${path.relative(job.convex, file).split(path.sep).join("/")}`;
    return `${JSON.stringify(key)}: () => import(${JSON.stringify(file)})`;
  });
  const table = `export const modules = { "./convex/_generated/api.js": async () => ({}), ${entry.join(", ")} };
export const schema = async () => ${schema === null ? "null" : `(await import(${JSON.stringify(schema)})).default`};`;
  return {
    name: "lab",
    setup(build) {
      build.onResolve({ filter: /.*/ }, async (args) => {
        if (args.pluginData === "asked" || args.kind === "entry-point") return undefined;
        if (args.path.startsWith(".") && args.importer.includes(`${path.sep}node_modules${path.sep}`)) return undefined;
        const bare = args.path.replace(/^node:/, "");
        if (args.path === "lab:project") return { path: args.path, namespace: "lab" };
        if (bare === "async_hooks") return { path: args.path, namespace: "hooks" };
        if (args.path.startsWith("node:") || BUILT_IN.has(args.path)) return nothing(`\`${bare}\` of Node`);
        const own = /^(convex|convex-test)(\/|$)/.exec(args.path);
        const asked = { importer: args.importer, kind: args.kind, resolveDir: own ? job.packages[own[1]] : args.resolveDir || job.root, pluginData: "asked" };
        const found = await build.resolve(args.path, asked);
        if (found.errors.length === 0) {
          if (found.namespace === "file" && !inside.some((folder) => realpathSync(found.path).startsWith(folder))) {
            return nothing(`\`${args.path}\`, which lies outside of the project`);
          }
          return found;
        }
        if (GENERATED.test(args.path)) return { path: `generated:${GENERATED.exec(args.path)[2]}`, namespace: "generated" };
        if (/^[./]/.test(args.path)) return nothing(`\`${args.path}\`, which is not in the project`);
        return nothing(`the package \`${args.path}\`, which is not installed`);
      });
      build.onLoad({ filter: /.*/, namespace: "lab" }, () => ({ contents: table, resolveDir: job.root }));
      build.onLoad({ filter: /.*/, namespace: "hooks" }, () => ({ contents: "export const AsyncLocalStorage = globalThis.AsyncLocalStorage;" }));
      build.onLoad({ filter: /.*/, namespace: "nothing" }, (args) => ({ contents: `module.exports = nothing(${JSON.stringify(args.path)});`, loader: "js" }));
      build.onLoad({ filter: /.*/, namespace: "generated" }, (args) => ({
        contents: readFileSync(path.join(job.runner, "generated", `${args.path.slice("generated:".length)}.ts`), "utf8"),
        loader: "ts",
        resolveDir: job.runner,
      }));
      build.onLoad({ filter: /convex-test[\\/]dist[\\/]index\.js$/ }, (args) => ({ contents: quick(inOneOrder(readFileSync(args.path, "utf8"))) }));
      build.onLoad({ filter: CODE, namespace: "file" }, (args) => {
        const changed = overlay[args.path];
        if (broken.has(args.path)) return { contents: `throw new Error("this file cannot be read by esbuild");` };
        return changed === undefined ? undefined : { contents: Buffer.from(changed, "base64"), loader: args.path.endsWith("x") ? "tsx" : /[cm]?ts$/.test(args.path) ? "ts" : "js" };
      });
    },
  };
}

async function bundle({ file, overlay, modules, schema }) {
  const broken = new Set();
  for (;;) {
    try {
      await esbuild.build({
        entryPoints: [path.join(job.runner, "bench.ts")],
        outfile: file,
        bundle: true,
        format: "iife",
        jsx: "automatic",
        platform: "browser",
        conditions: ["convex", "module"],
        target: "es2022",
        absWorkingDir: job.root,
        nodePaths: job.nodePaths,
        loader: { ".node": "empty" },
        define: { "process.env.NODE_ENV": '"production"' },
        legalComments: "none",
        logLevel: "silent",
        plugins: [plugin(overlay, modules, schema, broken)],
      });
      return null;
    } catch (error) {
      const bad = (error.errors ?? []).map((one) => one.location && path.resolve(job.root, one.location.file)).filter((one) => one && CODE.test(one) && !broken.has(one));
      if (bad.length === 0) return (error.errors?.[0]?.text ?? String(error)).split("\n")[0];
      for (const one of bad) broken.add(one);
    }
  }
}

for await (const line of lines) {
  const reason = await bundle(JSON.parse(line)).catch((error) => String(error.message ?? error));
  process.stdout.write(`${JSON.stringify({ reason })}\n`);
}
process.exit(); // esbuild keeps a process of its own
